import { testExporters } from '../rig/attacks.js';

testExporters('udmabuf');
