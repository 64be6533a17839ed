import { WIRE_LIMITS } from './limits.js';

/** The rules of the specification for names in a header. All of them are ASCII, so characters are bytes. */

const INTERFACE = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;
const MEMBER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WELL_KNOWN = /^[A-Za-z_-][A-Za-z0-9_-]*(?:\.[A-Za-z_-][A-Za-z0-9_-]*)+$/;
const UNIQUE = /^:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;
const NOT_IN_PATH = /[^A-Za-z0-9_/]/;

const fits = (name: string): boolean => name.length <= WIRE_LIMITS.name;

/** Also the rule for names of errors. */
export const isInterfaceName = (name: string): boolean => fits(name) && INTERFACE.test(name);

export const isMemberName = (name: string): boolean => fits(name) && MEMBER.test(name);

/** A unique name (`:1.5`) or a well-known one. */
export const isBusName = (name: string): boolean =>
  fits(name) && (name.startsWith(':') ? UNIQUE.test(name) : WELL_KNOWN.test(name));

/** Without a backtracking expression, because the specification sets no limit to the length of a path. */
export const isObjectPath = (path: string): boolean =>
  path === '/' ||
  (path.startsWith('/') && !path.endsWith('/') && !path.includes('//') && !NOT_IN_PATH.test(path));
