export function mayBuildOffline(): boolean;
