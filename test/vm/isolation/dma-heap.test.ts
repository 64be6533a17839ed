import { testExporters } from '../rig/attacks.js';

testExporters('dma-heap');
