import type { Use } from '../../dbus/names.js';
import type { Device } from '../devices/inventory.js';
import { BYTES_PER_PIXEL } from '../policy/size-expression.js';
import type { Policy, PolicyValue } from '../policy/policy.js';
import { shownModes } from './frame.js';

/** Pictures of one display or one camera that there should be memory for. */
export interface Requirement {
  readonly kind: 'display' | 'camera';
  /** For a person: the connector (`HDMI-A-1`) or the camera (`imx477 10-001a`). */
  readonly name: string;
  readonly device: Device;
  /** What the device does with the pictures. */
  readonly use: Use;
  readonly frame: FrameShape;
  /** How many, as policy has it. */
  readonly frames: PolicyValue<number>;
}

/** Pixels and bytes; without what pitches and pages round up, which is little. */
export interface FrameShape {
  readonly width: number;
  readonly height: number;
  /** For a person: `32-bit RGB`, `packed 10-bit Bayer`. */
  readonly format: string;
  readonly bytes: bigint;
}

/** What policy wants of the connected displays and the cameras, in the order of the devices. */
export function requirementsOf(devices: readonly Device[], policy: Policy): readonly Requirement[] {
  const { display, camera } = policy.frames();
  const requirements = devices.flatMap((device): readonly Requirement[] => [
    ...shownModes(device).map(({ connector, width, height }) => ({
      kind: 'display' as const,
      name: connector,
      device,
      use: 'scanout' as const,
      frame: {
        width,
        height,
        format: `${8n * BYTES_PER_PIXEL}-bit RGB`,
        bytes: BigInt(width) * BigInt(height) * BYTES_PER_PIXEL,
      },
      frames: display,
    })),
    ...(device.pictures ?? []).map(({ camera: name, width, height, format, bits }) => ({
      kind: 'camera' as const,
      name,
      device,
      use: 'capture' as const,
      frame: { width, height, format, bytes: rowBytes(width, bits) * BigInt(height) },
      frames: camera,
    })),
  ]);
  // A mode or a picture of no size needs nothing.
  return requirements.filter(({ frame }) => frame.bytes > 0n);
}

const rowBytes = (width: number, bits: number): bigint => (BigInt(width) * BigInt(bits) + 7n) / 8n;

/** `3840×2160 32-bit RGB`. */
export const frameText = ({ width, height, format }: FrameShape): string => `${width}×${height} ${format}`;

/** Bytes of all its pictures. */
export const bytesWanted = ({ frame, frames }: Requirement): bigint => frame.bytes * BigInt(frames.value);
