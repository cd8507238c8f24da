import { describe, expect, it } from 'vitest';
import { Timings } from './timings';

describe('timings', () => {
  it('have no values at first', () => {
    expect(new Timings().summary('roundTrip')).toEqual({ count: 0, p50: null, p95: null });
  });

  it('return the median and the 95th percentile', () => {
    const timings = new Timings();
    for (let ms = 100; ms >= 1; ms -= 1) timings.add('sendToAck', ms);
    expect(timings.summary('sendToAck')).toEqual({ count: 100, p50: 50, p95: 95 });
    expect(timings.summary('receiveToPaint').count).toBe(0);
  });

  it('drop old values', () => {
    const timings = new Timings();
    for (let n = 0; n < 500; n += 1) timings.add('roundTrip', 900);
    for (let n = 0; n < 500; n += 1) timings.add('roundTrip', 3);
    expect(timings.summary('roundTrip')).toEqual({ count: 500, p50: 3, p95: 3 });
  });
});
