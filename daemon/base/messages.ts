/**
 * Every message of importance that the log can have, with the id that it has in the journal for ever (MESSAGE_ID,
 * systemd.journal-fields(7)). `systemd/dmabroker.catalog` explains each. A new one gets its id from `journalctl --new-id128`;
 * one that is no longer said keeps its line, so that nothing else ever gets its id.
 */
export const MESSAGES = {
  // The service itself.
  ready: '0024b9f0ac9944b6bd468d3c4b29dbb2',
  ending: '09c3bb5dd19b4441ba273cf613642414',
  'start-failed': '8444652dd2444fbda2be4e45cdd82d9a',
  crashed: 'c992ae62a25a40498811d0c7be82090b',
  warning: '0054c42c73ce4d9784d2b5c7107eb2fe',
  'policy-read': 'c949567f57574314ae4b3ea17c4402d9',
  'policy-refused': '3d7f9d11681d4473ad0b4196aedecaac',
  'name-taken': '1d7dec9bb5c14d5bab1557e96442bfdd',
  'bus-lost': '20cabf137bcc42d0ae3f5243e29baa78',
  'successor-lost': 'a88e1964192c42a08e1a9ca1ae2e6ca3',
  // Calls, and their callers.
  'call-refused': '31200a7f6b344671a2610cad1cd537cf',
  'refusals-hidden': 'f69f757960154840bf332c02dad33e93',
  'call-failed': '1c64004ca2124613a4dcf3765ea0dc76',
  'message-lost': '51b15946979241d1a50ec4e0f640517f',
  'signal-lost': '9c54f46e2e414cdfa3bff4f3f9c3e48f',
  'change-untold': 'aa352ef80b6848a39153bb317bfa7e42',
  'polkit-absent': '0e0ce29cdead42ad99bc6d3f31891732',
  'polkit-silent': '9b43f6ed4368405891ef777b319d22c4',
  'logind-silent': 'd8420b62015541e682d056e97a051526',
  'client-not-reading': '54521459579a46da8c2e4d190cbd944f',
  'channel-closed': '509f678a8bc24baa98a2cc6387365eef',
  // Devices and memory.
  'devices-changed': '500c8b52f14b4a588e2c15782e1f0b1d',
  'machine-unreadable': 'a36c585317ea4db59ac1e16677d07f6e',
  'events-heard': 'ec6abbec12d44f7a9d9096d9485bc2aa',
  'events-lost': 'f7939868cead45bcb269e581c393124c',
  'nodes-watched': '861c113ed0454a94acc4b87ec2110f99',
  'nothing-watched': '462dedb25dba48f7b5559473f93f1f61',
  'device-untried': '8a8e816f11fb4cc4bc37e75be5eb31c0',
  'reach-unknown': '638be034915949bcaddce719368ec40c',
  'heap-class-unknown': '3825eedc74684493aaf89596e81e25e6',
  'heap-retains': '54c8690bd7bc4e029758ce6cd12316ec',
  'trials-unreadable': '2eceb01bd7db4297acd83e17ce9bc77c',
  'trials-unkept': '458f7b367ef5478583c416bb8de04ab3',
  'heap-refused': '5b2075d63d514d1784e554b2cdd751fa',
  'heap-failed': '3dfe31f181884a2f9259dc66d29dff88',
  'heap-gone': 'ed3c68222f704b0b92c1a92bb04082be',
  'references-unknown': 'df1594162eae4a79bcfc76b814df388a',
  // What outlives the daemon.
  'buffers-taken-over': 'd00d47e78a0143dbb41a3b286ed9c9de',
  'buffers-lost': '683afd1b51454000bc360e3ddae82107',
  'store-full': 'f43c78e88010413693ec377963d73780',
  'manager-slow': '9d5ea7b589544775aa5ea91ddea52737',
  'manager-gone': '62f3a6397ad04353a40d821e1d0951ff',
  'manager-unreachable': '7b0c42902654453ab9c13c537566c178',
  'state-unusable': 'd430706bd8904d78b48b72be9e3da595',
  'state-damaged': 'afc2ee7b2c584c61b6caf825fd7a0ed1',
  'state-unwritable': '609824e4e1f74626a39cef0396c3a15f',
  'state-left-over': '8fc6252a0ad7450980c8f87cbad4e5f5',
} as const;

export type MessageName = keyof typeof MESSAGES;

/** The id of a message, or undefined for what is none. */
export const messageId = (name: unknown): string | undefined =>
  typeof name === 'string' && Object.hasOwn(MESSAGES, name) ? MESSAGES[name as MessageName] : undefined;
