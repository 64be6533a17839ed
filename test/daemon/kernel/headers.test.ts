import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import * as cameraStructs from '../../../daemon/kernel/camera-structs.js';
import { connectorName } from '../../../daemon/kernel/drm-display.js';
import { PRIME_EXPORT, PRIME_IMPORT } from '../../../daemon/kernel/drm.js';
import * as drmConstants from '../../../daemon/kernel/drm-constants.js';
import * as drmIoctls from '../../../daemon/kernel/drm-ioctls.js';
import * as drmMode from '../../../daemon/kernel/drm-mode.js';
import * as drmStructs from '../../../daemon/kernel/drm-structs.js';
import { MORE_ERRNOS } from '../../../daemon/kernel/errors.js';
import * as inFormats from '../../../daemon/kernel/in-formats.js';
import type { IoctlCall } from '../../../daemon/kernel/ioctl.js';
import { FALLOC_FL, LEASE_F } from '../../../daemon/kernel/lent-memory.js';
import { F_ADD_SEALS, F_SEAL, MFD, UDMABUF_FLAGS_CLOEXEC } from '../../../daemon/kernel/memory.js';
import * as memoryStructs from '../../../daemon/kernel/memory-structs.js';
import * as netlinkStructs from '../../../daemon/kernel/netlink-structs.js';
import { O_CLOEXEC } from '../../../daemon/kernel/open-node.js';
import * as pollStructs from '../../../daemon/kernel/poll-structs.js';
import { KernelStruct } from '../../../daemon/kernel/struct.js';
import { V4L2_CAP } from '../../../daemon/kernel/v4l2.js';
import * as v4l2Structs from '../../../daemon/kernel/v4l2-structs.js';
import * as kmsStructs from '../../vm/rig/kms-structs.js';

// Whatever these modules export is compared, so that nothing can be added and left out here.
const modules = [
  ...[drmConstants, drmStructs, drmMode, inFormats, drmIoctls],
  ...[memoryStructs, netlinkStructs, pollStructs, v4l2Structs, cameraStructs, kmsStructs],
];
const exported: readonly (readonly [string, unknown])[] = modules.flatMap((module) => Object.entries(module));

const structs = exported.flatMap(([, value]) => (value instanceof KernelStruct ? [value] : []));
const isCall = (value: unknown): value is IoctlCall =>
  typeof value === 'object' && value !== null && 'request' in value;
const calls = exported.flatMap(([, value]) => (isCall(value) ? [value] : []));

const connectors = {
  Unknown: 'Unknown',
  VGA: 'VGA',
  DVII: 'DVI-I',
  DVID: 'DVI-D',
  DVIA: 'DVI-A',
  Composite: 'Composite',
  SVIDEO: 'SVIDEO',
  LVDS: 'LVDS',
  Component: 'Component',
  '9PinDIN': 'DIN',
  DisplayPort: 'DP',
  HDMIA: 'HDMI-A',
  HDMIB: 'HDMI-B',
  TV: 'TV',
  eDP: 'eDP',
  VIRTUAL: 'Virtual',
  DSI: 'DSI',
  DPI: 'DPI',
  WRITEBACK: 'Writeback',
  SPI: 'SPI',
  USB: 'USB',
};
const CONNECTOR = 'DRM_MODE_CONNECTOR_';

const constants = new Map<string, number | bigint>([
  ...exported.flatMap(([name, value]): [string, number | bigint][] =>
    typeof value === 'number' || typeof value === 'bigint' ? [[name, value]] : [],
  ),
  ...Object.entries(V4L2_CAP).map(([name, value]): [string, number] => [`V4L2_CAP_${name}`, value]),
  ...Object.entries(F_SEAL).map(([name, value]): [string, number] => [`F_SEAL_${name}`, value]),
  ...Object.entries(LEASE_F).map(([name, value]): [string, number] => [`F_${name}`, value]),
  ...Object.entries(FALLOC_FL).map(([name, value]): [string, number] => [`FALLOC_FL_${name}`, value]),
  ...Object.entries(MFD).map(([name, value]): [string, number] => [`MFD_${name}`, value]),
  ['DRM_PRIME_CAP_IMPORT', PRIME_IMPORT],
  ['DRM_PRIME_CAP_EXPORT', PRIME_EXPORT],
  ['UDMABUF_FLAGS_CLOEXEC', UDMABUF_FLAGS_CLOEXEC],
  ['O_CLOEXEC', O_CLOEXEC],
  ['F_ADD_SEALS', F_ADD_SEALS],
  ...Object.entries(MORE_ERRNOS),
]);

const HEADERS = `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/media.h>
#include <linux/netlink.h>
#include <linux/udmabuf.h>
#include <linux/v4l2-subdev.h>
#include <linux/videodev2.h>
#include <drm.h>
#include <drm_fourcc.h>
/* Linux 6.3, which is later than the headers of Debian 12. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
`;

const gcc = (source: string, ...options: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync('gcc', ['-x', 'c', '-I/usr/include/libdrm', '-I/usr/include/drm', ...options, '-'], {
    input: source,
  });

/** One header of each package, so that a mistake in the list above is no reason to skip. */
const isMissing = gcc('#include <linux/dma-buf.h>\n#include <drm.h>\n', '-fsyntax-only').status !== 0;

/** Prints `NAME VALUE` for each; the values are C expressions. */
function program(expressions: ReadonlyMap<string, string>): string {
  const lines = [...expressions].map(
    ([name, expression]) => `printf("%s %llu\\n", "${name}", (unsigned long long)(${expression}));`,
  );
  return `${HEADERS}\nint main(void) {\n${lines.join('\n')}\nreturn 0;\n}\n`;
}

/** What the machine's compiler makes of the expressions. */
function evaluate(expressions: ReadonlyMap<string, string>): ReadonlyMap<string, bigint> {
  const directory = mkdtempSync(join(tmpdir(), 'headers-'));
  try {
    const binary = join(directory, 'program');
    const compiled = gcc(program(expressions), '-o', binary);
    if (compiled.status !== 0) throw new Error(String(compiled.stderr));
    const lines = spawnSync(binary, { encoding: 'utf8' }).stdout.trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [name = '', value = ''] = line.split(' ');
        return [name, BigInt(value)];
      }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe.skipIf(isMissing)(`the kernel's headers (needs gcc, linux-libc-dev and libdrm-dev)`, () => {
  let values: ReadonlyMap<string, bigint>;

  beforeAll(() => {
    const expressions = new Map<string, string>();
    for (const { name, members } of structs) {
      expressions.set(`sizeof:${name}`, `sizeof(struct ${name})`);
      for (const member of members) {
        expressions.set(`offset:${name}.${member}`, `offsetof(struct ${name}, ${member})`);
        expressions.set(`size:${name}.${member}`, `sizeof(((struct ${name} *)0)->${member})`);
      }
    }
    for (const { name } of calls) expressions.set(name, `(unsigned int)${name}`);
    for (const name of constants.keys()) expressions.set(name, name);
    for (const name of Object.keys(connectors)) expressions.set(`${CONNECTOR}${name}`, `${CONNECTOR}${name}`);
    values = evaluate(expressions);
  });

  it.each(structs)('lays out $name so', (struct) => {
    const { name, members, size } = struct;
    expect(BigInt(size)).toBe(values.get(`sizeof:${name}`));
    for (const member of members) {
      const place = struct.place(member as never);
      expect([member, BigInt(place.offset), BigInt(place.size * place.length)]).toEqual([
        member,
        values.get(`offset:${name}.${member}`),
        values.get(`size:${name}.${member}`),
      ]);
    }
  });

  it.each(calls)('numbers $name so', ({ name, request }) => {
    expect(BigInt(request)).toBe(values.get(name));
  });

  it.each([...constants])('gives %s the value %s', (name, value) => {
    expect(BigInt(value)).toBe(values.get(name));
  });

  it.each(Object.entries(connectors))('counts the connector type %s where %s is', (type, name) => {
    expect(connectorName(Number(values.get(`${CONNECTOR}${type}`)), 1)).toBe(`${name}-1`);
  });
});
