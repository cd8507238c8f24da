import { expect } from 'vitest';
import type { Device } from './fake/device';
import type { FakeServer } from './fake/server';

/**
 * Checks the guarantee of the protocol, section 3.5: the client's state plus the frames it got equals a fresh fetch.
 * Compares messages, marks and counts of every conversation that the device shows.
 */
export function expectConverged(device: Device, server: FakeServer, userId: string): void {
  const { conversations, windows } = device.state;
  const rooms = [...server.rooms.values()].filter((room) => room.members.has(userId));
  expect(Object.keys(conversations).sort()).toEqual(rooms.map((room) => room.id).sort());
  for (const room of rooms) {
    const fresh = server.conversation(room.id, userId);
    const shown = conversations[room.id];
    expect(shown?.rev).toBe(fresh.rev);
    expect(shown?.last_seq).toBe(fresh.last_seq);
    expect(shown?.me.unread).toBe(fresh.me.unread);
    expect(shown?.me.read_seq).toBe(fresh.me.read_seq);
    expect(shown?.others_read_seq).toBe(fresh.others_read_seq);
    expect(shown?.others_delivered_seq).toBe(fresh.others_delivered_seq);
    expect(shown?.last_message).toEqual(fresh.last_message);
    const items = windows[room.id]?.items ?? [];
    const first = items[0]?.seq ?? fresh.last_seq + 1;
    expect(items).toEqual(room.messages.slice(first - 1));
  }
}
