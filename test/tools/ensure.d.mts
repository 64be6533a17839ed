export function ensure(packages: readonly string[], options?: { readonly optional?: boolean }): boolean;
export function hasProgram(name: string): boolean;
