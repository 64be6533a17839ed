import type { Device, Mode } from '../devices/inventory.js';
import type { SizeContext } from '../policy/policy.js';

type Frame = SizeContext['frame'];

/** What sizes are reckoned from where no display is connected. */
const NO_DISPLAY: Frame = { width: 1920, height: 1080 };

/** The largest of what the connected displays show: the current mode of each, else the one it prefers, else its largest. */
export function largestFrame(devices: readonly Device[]): Frame {
  const { width, height } = largest(devices.flatMap(shownModes)) ?? NO_DISPLAY;
  return { width, height };
}

/** What each display that is connected to a device shows: its current mode, else the one it prefers, else its largest. */
export function shownModes({ modes }: Pick<Device, 'modes'>): readonly Mode[] {
  const connectors = new Set(modes.map(({ connector }) => connector));
  return [...connectors].flatMap(
    (name) => modeShown(modes.filter(({ connector }) => connector === name)) ?? [],
  );
}

const modeShown = (modes: readonly Mode[]): Mode | undefined =>
  modes.find(({ current }) => current) ?? modes.find(({ preferred }) => preferred) ?? largest(modes);

const largest = <F extends Frame>(frames: readonly F[]): F | undefined =>
  frames.reduce<F | undefined>((most, frame) => (pixels(frame) > pixels(most) ? frame : most), undefined);

const pixels = (frame: Frame | undefined): number => (frame === undefined ? 0 : frame.width * frame.height);
