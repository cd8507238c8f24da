/**
 * The list of the person's conversations, as `ready` and its pages bring it: which of those on the device were left
 * meanwhile, which must begin anew, and which have to be fetched. It is complete after its last page only.
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
  /** What `connect` named: for these the server tells what changed. Null: this tab did not connect. */
  #named: ReadonlySet<string> | null = null;
  /** The revisions that are stored, also of conversations that are not. */
  #stored: Readonly<Record<string, number>> = {};

  /** This tab is about to connect, with these names (or as one that has nothing) out of what is stored. */
  connecting(named: Iterable<string> | null, stored: Readonly<Record<string, number>>): void {
    this.#named = named === null ? null : new Set(named);
    this.#stored = stored;
  }

  /** `ready` has come; `known` are the conversations on the device. */
  begin(known: readonly string[]): void {
    this.#before = [...known];
    this.#revisions = {};
    this.#outdated = new Set();
  }

  /**
   * Takes a page, before it changes the state. Answers with the conversations of which the server does not tell what
   * changed: the device has something of them, but did not name them.
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

  /** After the last page; null when this tab has not seen the first one. */
  end(): CompleteList | null {
    const revisions = this.#revisions;
    if (revisions === null) return null;
    this.#revisions = null;
    return { revisions, left: this.#before.filter((id) => revisions[id] === undefined) };
  }

  /** Its messages are no longer what they were: what is shown of it in the list has to be fetched. */
  reset(conversationId: string): void {
    this.#outdated.add(conversationId);
  }

  /** Whether what is stored of it is up to this revision already. */
  isStored(conversationId: string, rev: number): boolean {
    return this.#stored[conversationId] === rev;
  }

  /** It has come whole. */
  fetched(conversationId: string): void {
    this.#outdated.delete(conversationId);
  }

  /** Conversations that differ from what the device has, in more than the list says. */
  get outdated(): ReadonlySet<string> {
    return this.#outdated;
  }
}

export function isPage(frame: ServerFrame): frame is Ready | ReadyConversations {
  return frame.type === 'ready' || frame.type === 'ready.conversations';
}
