import { CPU_ACCESS, MEMORY_CLASSES } from '../../../dbus/names.js';
import { HEAP_KINDS } from '../../devices/inventory.js';
import type { Origin } from '../../pools/fd-store.js';
import type { AllocationRecord, BufferRecord, StateRecord } from './journal-record.js';
import type { Shape } from './json-shape.js';
import { ShapeError } from './json-shape.js';

/** A record as JSON without names; numbers of 64 bits are text, because JSON has none. */
export function encodeRecord(record: StateRecord): unknown {
  switch (record.kind) {
    case 'made':
      return ['made', ...encodeBuffer(record.buffer)];
    case 'gone':
      return ['gone', record.name];
    case 'held':
      return ['held', encodeAllocation(record.allocation), record.buffers];
    case 'grown':
    case 'told':
    case 'left':
    case 'freed':
      return [record.kind, record.id, record.buffers];
  }
}

/** @throws {ShapeError} for what is no record */
export function decodeRecord(record: Shape): StateRecord {
  const [kind, first, second, ...rest] = record.list();
  const name = kind?.text();
  switch (name) {
    case 'made':
      return { kind: name, buffer: decodeBuffer(first, second, rest) };
    case 'gone':
      return { kind: name, name: given(first).text() };
    case 'held':
      return { kind: name, allocation: decodeAllocation(given(first)), buffers: given(second).texts() };
    case 'grown':
    case 'told':
    case 'left':
    case 'freed':
      return { kind: name, id: given(first).text(), buffers: given(second).texts() };
    case undefined:
    default:
      throw new ShapeError('no kind of record is called that');
  }
}

const encodeOrigin = (origin: Origin): readonly unknown[] => [
  origin.heap,
  origin.kind,
  origin.class,
  origin.cpuAccess,
  origin.countsReferences,
];

function decodeOrigin(shape: Shape): Origin {
  const [heap, kind, memoryClass, cpuAccess, counts] = shape.list();
  return {
    heap: given(heap).text(),
    kind: given(kind).oneOf(HEAP_KINDS),
    class: given(memoryClass).oneOf(MEMORY_CLASSES),
    cpuAccess: given(cpuAccess).oneOf(CPU_ACCESS),
    countsReferences: given(counts).boolean(),
  };
}

const encodeBuffer = ({ name, inode, origin, size, bytes }: BufferRecord): readonly unknown[] => [
  name,
  String(inode),
  encodeOrigin(origin),
  String(size),
  String(bytes),
];

function decodeBuffer(
  name: Shape | undefined,
  inode: Shape | undefined,
  [origin, size, bytes]: readonly Shape[],
): BufferRecord {
  return {
    name: given(name).text(),
    inode: given(inode).wide(),
    origin: decodeOrigin(given(origin)),
    size: given(size).wide(),
    bytes: given(bytes).wide(),
  };
}

function encodeAllocation({ id, created, origin, owner, label, layout }: AllocationRecord): unknown {
  const { image, size, fdSizes, cpuAccess } = layout;
  return {
    id,
    created: String(created),
    origin: encodeOrigin(origin),
    owner,
    label,
    size: String(size),
    ...(fdSizes !== undefined && { fdSizes: fdSizes.map(String) }),
    cpuAccess,
    ...(image !== undefined && {
      image: {
        ...image,
        modifier: String(image.modifier),
        planes: image.planes.map(({ offset, pitch }) => [String(offset), pitch]),
      },
    }),
  };
}

function decodeAllocation(shape: Shape): AllocationRecord {
  const image = shape.maybe('image');
  const fdSizes = shape.maybe('fdSizes');
  return {
    id: shape.at('id').text(),
    created: shape.at('created').wide(),
    origin: decodeOrigin(shape.at('origin')),
    owner: decodeOwner(shape.at('owner')),
    label: shape.at('label').text(),
    layout: {
      ...(image !== undefined && { image: decodeImage(image) }),
      size: shape.at('size').wide(),
      ...(fdSizes !== undefined && { fdSizes: fdSizes.list().map((bytes) => bytes.wide()) }),
      cpuAccess: shape.at('cpuAccess').oneOf(CPU_ACCESS),
    },
  };
}

function decodeOwner(shape: Shape): AllocationRecord['owner'] {
  const user = shape.maybe('user');
  const payer = shape.maybe('payer');
  return {
    bus: shape.at('bus').text(),
    name: shape.at('name').text(),
    uid: shape.at('uid').count(),
    ...(payer !== undefined && { payer: payer.count() }),
    ...(user !== undefined && { user: user.text() }),
    groups: shape.at('groups').texts(),
    unit: shape.at('unit').text(),
  };
}

function decodeImage(shape: Shape): NonNullable<AllocationRecord['layout']['image']> {
  return {
    format: shape.at('format').text(),
    modifier: shape.at('modifier').wide(),
    width: shape.at('width').count(),
    height: shape.at('height').count(),
    planes: shape
      .at('planes')
      .list()
      .map((plane) => {
        const [offset, pitch] = plane.list();
        return { offset: given(offset).wide(), pitch: given(pitch).count() };
      }),
  };
}

function given(shape: Shape | undefined): Shape {
  if (shape === undefined) throw new ShapeError('a value is missing');
  return shape;
}
