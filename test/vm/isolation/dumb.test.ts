import { testExporters } from '../rig/attacks.js';

testExporters('drm-dumb');
