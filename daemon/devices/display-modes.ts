import type { DrmCalls, DrmMode, DrmResources } from '../kernel/drm.js';
import { readConnectorPaths } from './drm-nodes.js';
import type { Mode } from './inventory.js';
import type { KernelFiles } from './sysfs.js';

/**
 * Modes of the connected displays, as the kernel knows them without looking again.
 * @param node open primary node
 * @throws {KernelError}
 */
export const readModes = (drm: DrmCalls, node: number, { connectors }: DrmResources): readonly Mode[] =>
  connectors.flatMap((id) => {
    const connector = drm.connector(node, id);
    if (!connector.connected) return [];
    const shown = shownMode(drm, node, connector.encoder);
    const modes = new Map<string, Mode>();
    // The shown mode may be none of the display's own.
    for (const mode of [...connector.modes, ...(shown ? [{ ...shown, preferred: false }] : [])]) {
      const key = keyOf(mode);
      modes.set(key, {
        connector: connector.name,
        width: mode.width,
        height: mode.height,
        refresh: mode.refresh,
        preferred: mode.preferred || modes.get(key)?.preferred === true,
        current: shown !== undefined && key === keyOf(shown),
      });
    }
    return [...modes.values()];
  });

/** Modes that differ in their blanking alone are one to a buffer. */
const keyOf = ({ width, height, refresh }: DrmMode): string => `${width}x${height}@${refresh}`;

function shownMode(drm: DrmCalls, node: number, encoder: number): DrmMode | undefined {
  const crtc = encoder === 0 ? 0 : drm.encoderCrtc(node, encoder);
  return crtc === 0 ? undefined : drm.crtcMode(node, crtc);
}

/** The same from sysfs, where the node cannot be opened: without refresh rates (0), and not which one is shown. */
export async function readModesFromSysfs(files: KernelFiles, card: string): Promise<readonly Mode[]> {
  const modes: Mode[] = [];
  for (const { path, name } of await readConnectorPaths(files, card)) {
    if ((await files.text(`${path}/status`)) !== 'connected') continue;
    const sizes = ((await files.text(`${path}/modes`)) ?? '').matchAll(/^([1-9]\d{0,4})x([1-9]\d{0,4})i?$/gm);
    const seen = new Set<string>();
    for (const [size, width = '', height = ''] of sizes) {
      if (seen.has(size)) continue;
      const mode = { connector: name, width: Number(width), height: Number(height), refresh: 0 };
      modes.push({ ...mode, preferred: seen.size === 0, current: false });
      seen.add(size);
    }
  }
  return modes;
}
