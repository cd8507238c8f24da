export { usePaintTimings } from './usePaintTimings';
