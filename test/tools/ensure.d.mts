export const LIBRARY_TOOLS: readonly string[];
export const MARKS: Readonly<Record<string, string>>;
export function ensure(packages: readonly string[], options?: { readonly optional?: boolean }): boolean;
export function missing(packages: readonly string[]): readonly string[];
export function howToGet(packages: readonly string[]): string;
export function hasProgram(name: string): boolean;
