/**
 * The list of the user's conversations, as `ready` and its pages deliver it: which of those on the device the user has
 * left, which must be reset, and which must be fetched. The list is complete only after its last page.
 */
import type { Conversation, ConversationState, Ready, ReadyConversations, ServerFrame } from '@/protocol';

export interface CompleteList {
  /** The revision of each conversation in the list. */
  revisions: Record<string, number>;
  /** On the device before, and not in the list. */
  left: string[];
}

export class OwnList {
  #before: string[] = [];
  #revisions: Record<string, number> | null = null;
  #outdated = new Set<string>();
  /** What `connect` named: for these the server sends the changes. Null: this tab did not connect. */
  #named: ReadonlySet<string> | null = null;
  /** The stored revisions, also of conversations that are not stored. */
  #stored: Readonly<Record<string, number>> = {};

  /** This tab is about to connect with these names (or with nothing) out of what is stored. */
  connecting(named: Iterable<string> | null, stored: Readonly<Record<string, number>>): void {
    this.#named = named === null ? null : new Set(named);
    this.#stored = stored;
  }

  /** `ready` has arrived; `known` are the conversations on the device. */
  begin(known: readonly string[]): void {
    this.#before = [...known];
    this.#revisions = {};
    this.#outdated = new Set();
  }

  /**
   * Adds a page before it changes the state. Returns the conversations for which the server does not send the changes:
   * the device has some of their data but did not name them.
   */
  take(
    lines: readonly ConversationState[],
    conversations: Readonly<Record<string, Conversation>>,
  ): ConversationState[] {
    if (this.#revisions === null) return [];
    const anew: ConversationState[] = [];
    for (const line of lines) {
      this.#revisions[line.id] = line.rev;
      const known = conversations[line.id];
      if (known === undefined || known.updated_at !== line.updated_at) this.#outdated.add(line.id);
      const rev = known?.rev ?? this.#stored[line.id];
      if (rev !== undefined && rev !== line.rev && this.#named?.has(line.id) === false) {
        this.#outdated.add(line.id);
        anew.push(line);
      }
    }
    return anew;
  }

  /** Called after the last page. Returns null when this tab has not seen the first one. */
  end(): CompleteList | null {
    const revisions = this.#revisions;
    if (revisions === null) return null;
    this.#revisions = null;
    return { revisions, left: this.#before.filter((id) => revisions[id] === undefined) };
  }

  /** The stored messages are outdated: fetch what the list shows of the conversation. */
  reset(conversationId: string): void {
    this.#outdated.add(conversationId);
  }

  /** Returns whether the stored copy is already at this revision. */
  isStored(conversationId: string, rev: number): boolean {
    return this.#stored[conversationId] === rev;
  }

  /** The conversation was fetched completely. */
  fetched(conversationId: string): void {
    this.#outdated.delete(conversationId);
  }

  /** Returns the conversations that differ from the device in more than the list contains. */
  get outdated(): ReadonlySet<string> {
    return this.#outdated;
  }
}

export function isPage(frame: ServerFrame): frame is Ready | ReadyConversations {
  return frame.type === 'ready' || frame.type === 'ready.conversations';
}
