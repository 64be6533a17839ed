// The boots of `npm run test:vm`: each has a kernel, a command line of its own, and the tests of one directory.
import { debianKernel } from './kernel/debian.mjs';
import { ownKernel } from './kernel/own.mjs';
import { NEWEST } from './kernel/packages.mjs';
import { systemdImages } from './systemd/images.mjs';

/**
 * One camera node and nothing else: input 0 is a webcam with fixed sizes, input 1 is HDMI and takes any size, because it
 * can crop, compose and scale (Documentation/admin-guide/media/vivid.rst).
 */
const CAMERA =
  'vivid.n_devs=1 vivid.node_types=0x1 vivid.num_inputs=2 vivid.input_types=0xc vivid.ccs_cap_mode=7';
/**
 * MiB that this machine has below 4 GiB, where a camera on dma-contig reaches: what lies above goes through bounce buffers,
 * which are small, and is refused for that.
 */
const LOW = 2048;
/** Names that the default CMA heap has or had, by where the kernel takes it from, and one that nobody has heard of. */
const CMA_NAMES = ['reserved', 'linux,cma', 'default_cma_region', 'vendor-foo'];
/** The kernel that most scenarios are about. */
const STABLE = '6.12';
const stable = () => debianKernel(STABLE);
const own = () => ownKernel(STABLE);
/** Series on which users attack each other: what a kernel lets a former holder keep differs between them. */
const ATTACKED = ['6.1', STABLE, NEWEST];

/** Every user may open cards and cameras, so that what one does through them concerns another. */
const OPEN = 'dmabroker.nodes=0666';

const ISOLATION = ATTACKED.flatMap((series) => [
  {
    name: `isolation-${series}`,
    about: `Debian's kernel ${series}; users who attack each other`,
    kernel: () => debianKernel(series),
    append: `${OPEN} ${CAMERA}`,
    tests: 'isolation',
    lane: 'isolation',
    limit: 3600,
  },
  {
    name: `isolation-cma-${series}`,
    about: `the same with our own kernel ${series} and a CMA heap`,
    kernel: () => ownKernel(series, ['attacked.config']),
    memory: LOW,
    append: `cma=128M ${OPEN} ${CAMERA}`,
    tests: 'isolation',
    lane: 'isolation',
    limit: 3600,
  },
]);
/** The one of them that runs without being named; the others take long, and are for before a release. */
const ATTACKED_ALWAYS = `isolation-${STABLE}`;

/**
 * `append` goes to the kernel's command line, where parameters of modules are `MODULE.PARAMETER=VALUE` whether a module is
 * built in or not. `tests` is a directory below test/vm; `limit`, where there is one, so many seconds instead of the
 * usual; `cpu`, where there is one, is emulated instead of the usual; `disk`, where there is one, has so many MiB; `images`,
 * where there are, what the root is made of; `host`, where there is one, a file of tests that run here afterwards, on what
 * the machine brought back. `lane`, where it has one: it measures no time, and runs after the others, those of a lane in
 * turn and beside those of another.
 */
export const SCENARIOS = [
  {
    name: 'debian',
    about: "Debian's kernel; drivers can be unloaded",
    kernel: stable,
    // There the kernel clears memory as it does on today's processors (ERMS), and a test measures that.
    cpu: 'max',
    append: CAMERA,
    tests: 'debian',
    host: 'replay/replay.test.js',
  },
  {
    name: 'systemd',
    about: 'Debian 13 with systemd, D-Bus, polkit and logind as it ships them; the daemon is a unit',
    kernel: stable,
    images: systemdImages,
    append: `rdinit=/usr/lib/systemd/systemd ${CAMERA}`,
    tests: 'systemd',
  },
  {
    name: 'pressure',
    about: "Debian's kernel with little memory and an empty disk to swap to",
    kernel: stable,
    memory: 1536,
    disk: 768,
    append: CAMERA,
    tests: 'pressure',
  },
  {
    name: 'layouts',
    about: "Debian's kernel; thousands of images, so that it takes minutes",
    kernel: stable,
    append: CAMERA,
    tests: 'layouts',
    lane: 'layouts',
    limit: 1800,
  },
  {
    name: 'cma',
    about: 'our own kernel with a CMA heap',
    kernel: own,
    memory: LOW,
    append: `cma=128M ${CAMERA}`,
    tests: 'cma',
    lane: 'own kernel',
  },
  {
    name: 'cma-contig',
    about: 'the same, with a camera that takes contiguous memory only',
    kernel: own,
    memory: LOW,
    append: `cma=128M vivid.allocators=1 ${CAMERA}`,
    tests: 'cma-contig',
    lane: 'own kernel',
  },
  {
    name: 'no-cma',
    about: 'our own kernel without a CMA heap',
    kernel: own,
    memory: LOW,
    append: CAMERA,
    tests: 'no-cma',
    lane: 'own kernel',
  },
  ...CMA_NAMES.map((name) => ({
    name: `cma-named-${name}`,
    about: `the CMA heap is called ${name}`,
    kernel: own,
    memory: LOW,
    append: `cma=64M cma_name=${name}`,
    tests: 'cma-named',
    lane: 'own kernel',
  })),
  ...ISOLATION.filter(({ name }) => name === ATTACKED_ALWAYS),
];

/** Those that run only when they are named. */
const ON_DEMAND = [
  ...ISOLATION.filter(({ name }) => name !== ATTACKED_ALWAYS),
  {
    name: 'debian-newest',
    about: "as debian, on Debian's newest kernel",
    kernel: () => debianKernel(NEWEST),
    cpu: 'max',
    append: CAMERA,
    tests: 'debian',
    host: 'replay/replay.test.js',
  },
];

/** @throws {Error} that names the scenarios there are */
export function scenarioNamed(name) {
  const all = [...SCENARIOS, ...ON_DEMAND];
  const scenario = all.find((candidate) => candidate.name === name);
  if (scenario !== undefined) return scenario;
  throw new Error(`no scenario is named ${name}; there are ${all.map((known) => known.name).join(', ')}`);
}
