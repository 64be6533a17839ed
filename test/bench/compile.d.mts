export const PACKAGES: readonly string[];
export function compile(name: 'load' | 'echo', directory: string): string;
export function compileFile(source: string, directory: string): string;
