export { Timeline, type TimelineHandle } from './Timeline';
export { useLooking } from './useReadMark';
