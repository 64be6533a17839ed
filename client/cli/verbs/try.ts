import { CPU, findDevice, type Device, type Inventory } from '../../../daemon/devices/inventory.js';
import { DmabrokerError } from '../../errors.js';
import type { Output } from '../output.js';
import { POLICY, readPolicy } from '../policy/offline.js';
import { REPORT_VERSION, verdictOf, type Trial, type TrialReport, type Verdict } from '../trial/report.js';
import { EXIT } from '../usage.js';
import type { Context, Verb } from '../verb.js';

export const tryDevices: Verb = {
  name: 'try',
  summary: 'Try on this machine whether the kernel takes the layouts that would be decided',
  operands: 'DEVICE [DEVICE…]',
  options: [POLICY, { name: 'all', text: 'print what agrees as well' }],
  notes: [
    'For each use of each DEVICE it decides layouts of several formats and sizes, allocates them, imports them ' +
      '(PRIME_FD_TO_HANDLE), makes them framebuffers (ADDFB2) or has the V4L2 driver look at them (TRY_FMT; QBUF where ' +
      'that disturbs no camera). Nothing is shown or streamed, no mode is set, and it is never master of a display, so ' +
      'that atomic commits are not tried.',
    'It needs no broker. Run it as root, or as a user that may open the heaps. With --json it writes a report with the ' +
      "machine's profile, for an issue; dmabrokerctl record --from reads it. Ends with 1 when the kernel disagrees.",
  ],
  async run(context, args) {
    const report = await tryAll(context, args.operands, await readPolicy(context, args));
    if (context.json) context.out.json(report);
    else print(context.out, report, args.flag('all'));
    return report.trials.some(({ verdict }) => verdict === 'disagrees') ? EXIT.refused : EXIT.done;
  },
};

/** What `--json` says once more, for a person. */
const NEVER_TRIED = 'atomic commits, even those that only test: they take the display from its session';

async function tryAll(
  { warn }: Context,
  names: readonly string[],
  policy: Awaited<ReturnType<typeof readPolicy>>,
): Promise<TrialReport> {
  const { openHardware } = await import('../../../daemon/service/hardware.js');
  const { createKernel } = await import('../../../daemon/kernel/create.js');
  const { recordProfile } = await import('../../../daemon/devices/profile/write.js');
  const { KernelError } = await import('../../../daemon/kernel/errors.js');
  const { OfflineBroker } = await import('../policy/offline-broker.js');
  const { tryDevice } = await import('../trial/trials.js');
  const kernel = createKernel();
  const hardware = await openHardware({
    kernel,
    root: '',
    profile: undefined,
    policy,
    log: {
      warn: (_details, message) => {
        warn(message);
      },
    },
  });
  const { inventory, heaps, warnings } = hardware;
  using broker = new OfflineBroker({ machine: hardware, policy, kernel });
  const untried = [NEVER_TRIED, ...inventory.warnings, ...warnings];
  const trials: Trial[] = [];
  for (const device of wanted(inventory, names)) {
    try {
      trials.push(...(await tryDevice(device, { broker, heaps, kernel, root: '', policy })));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      untried.push(`${device.node}: ${error.message}`);
    }
  }
  return {
    version: REPORT_VERSION,
    at: new Date().toISOString(),
    profile: JSON.parse(recordProfile(inventory, new Date())) as unknown,
    trials: trials.map((trial) => ({ ...trial, verdict: verdictOf(trial) })),
    untried,
  };
}

/** @throws {DmabrokerError} UnknownDevice */
function wanted(inventory: Inventory, names: readonly string[]): readonly Device[] {
  return names.map((name) => {
    const device = findDevice(inventory, name);
    if (device !== undefined && device.node !== CPU) return device;
    const there = inventory.devices.map(({ node }) => node).filter((node) => node !== CPU);
    throw new DmabrokerError(
      'UnknownDevice',
      `there is no device '${name}' to try; there is ${there.length === 0 ? 'none' : there.join(', ')}`,
    );
  });
}

const COUNTED: readonly Verdict[] = ['agrees', 'disagrees', 'refused', 'untried'];

function print(out: Output, { trials, untried }: TrialReport, all: boolean): void {
  const shown = trials.filter(({ verdict }) => all || verdict !== 'agrees');
  if (shown.length > 0) {
    out.table(
      [
        { title: 'DEVICE' },
        { title: 'USE' },
        { title: 'FORMAT' },
        { title: 'SIZE' },
        { title: 'DECIDED', wraps: true },
        { title: 'KERNEL', wraps: true },
        { title: 'VERDICT' },
      ],
      shown.map((trial) => [
        trial.device,
        trial.use,
        trial.format,
        `${trial.width} × ${trial.height}`,
        decidedText(trial),
        kernelText(trial),
        trial.verdict,
      ]),
      (text, row) => (shown[row]?.verdict === 'disagrees' ? out.colour('red', text) : text),
    );
    out.line();
  }
  const counts = COUNTED.map((verdict) => {
    const count = trials.filter((trial) => trial.verdict === verdict).length;
    return `${count} ${verdict}`;
  });
  out.line(`${trials.length} layouts: ${counts.join(', ')}.`);
  for (const text of untried) out.line(`Not tried: ${text}`);
}

function decidedText({ decided }: Trial): string {
  if (decided.is === 'conflict') return `conflict: ${decided.conflict.join(' against ')}`;
  if (decided.is === 'refused') return decided.code;
  return `pitch ${decided.planes.map(({ pitch }) => pitch).join('/')}, ${decided.size} bytes, ${decided.heap}`;
}

const kernelText = ({ kernel, takesTight }: Trial): string =>
  [
    ...kernel.map(({ call, said, why }) =>
      [call, said, ...(why === undefined ? [] : [`(${why})`])].join(' '),
    ),
    ...(takesTight === true ? ['takes rows without padding too'] : []),
  ].join(', ');
