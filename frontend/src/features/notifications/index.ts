export { useIncoming } from './useIncoming';
