/** The library describes itself as a whole only. */
declare module 'systeminformation/lib/memory.js' {
  export { mem } from 'systeminformation';
}
