/** A user's own state of a conversation for all of their devices, as the server stores it. */
import type { Conversation } from '@/protocol';
import type { FakeAnswer } from './http';
import type { FakeServer } from './server';

interface Place {
  draft: string;
  unreadFrom: number | null;
  /** The read position for which `unreadFrom` holds. */
  unreadFromRead: number;
}

const EMPTY: Place = { draft: '', unreadFrom: null, unreadFromRead: 0 };

export class OwnPlaces {
  readonly #places = new Map<string, Place>();

  of(roomId: string, userId: string, read: number): Pick<Conversation['me'], 'draft' | 'unread_from'> {
    const { draft, unreadFrom, unreadFromRead } = this.#places.get(`${roomId} ${userId}`) ?? EMPTY;
    return unreadFrom === null || unreadFromRead !== read ? { draft } : { draft, unread_from: unreadFrom };
  }

  /** `PATCH /conversations/{id}/me`: stores, notifies all devices, returns the conversation. */
  http(server: FakeServer, roomId: string, userId: string, body: Record<string, unknown>): FakeAnswer {
    const place = { ...EMPTY, ...this.#places.get(`${roomId} ${userId}`) };
    if (typeof body.draft === 'string') place.draft = body.draft;
    if (body.unread_from !== undefined) {
      place.unreadFrom = body.unread_from as number | null;
      place.unreadFromRead = server.conversation(roomId, userId).me.read_seq;
    }
    this.#places.set(`${roomId} ${userId}`, place);
    const room = server.rooms.get(roomId);
    if (room !== undefined) room.updatedAt = server.now();
    const conversation = server.conversation(roomId, userId);
    const { id, updated_at } = conversation;
    server.toUser(userId, { type: 'conversation.updated', conversation: { id, updated_at, me: body } });
    return { status: 200, body: conversation };
  }
}
