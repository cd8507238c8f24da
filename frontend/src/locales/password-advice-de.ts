/** Translates zxcvbn's password advice into German; the server answers in English. */
const SENTENCES: readonly (readonly [english: string, german: string])[] = [
  ['is mostly your own name or address', 'Es ist fast nur dein eigener Name oder deine Adresse.'],
  ['Straight rows of keys', 'Tasten, die nebeneinanderliegen, sind leicht zu erraten.'],
  ['Short keyboard patterns', 'Kurze Muster auf der Tastatur sind leicht zu erraten.'],
  ['Repeats like "aaa"', 'Wiederholungen wie „aaa“ sind leicht zu erraten.'],
  ['Repeats like "abcabcabc"', '„abcabcabc“ ist kaum schwerer zu erraten als „abc“.'],
  ['Sequences like "abc"', 'Folgen wie „abc“ oder „6543“ sind leicht zu erraten.'],
  ['Recent years', 'Jahreszahlen sind leicht zu erraten.'],
  ['Dates are often', 'Daten sind oft leicht zu erraten.'],
  ['This is a top-10 common password', 'Es ist eines der zehn häufigsten Passwörter.'],
  ['This is a top-100 common password', 'Es ist eines der hundert häufigsten Passwörter.'],
  ['This is a very common password', 'Es ist ein sehr häufiges Passwort.'],
  ['This is similar to a commonly used', 'Es ähnelt einem häufigen Passwort.'],
  ['A word by itself', 'Ein einzelnes Wort ist leicht zu erraten.'],
  ['Names and surnames by themselves', 'Ein Name allein ist leicht zu erraten.'],
  ['Common names and surnames', 'Häufige Namen sind leicht zu erraten.'],
  ['Use a few words', 'Nimm mehrere Wörter, aber keine bekannte Wendung.'],
  ['No need for symbols', 'Zeichen, Ziffern und Großbuchstaben braucht es nicht.'],
  ['Add another word or two', 'Füge ein, zwei Wörter hinzu, am besten seltene.'],
  ['Use a longer keyboard pattern', 'Nimm ein längeres Muster mit mehr Wendungen.'],
  ['Avoid repeated words', 'Vermeide Wiederholungen.'],
  ['Avoid sequences', 'Vermeide Folgen.'],
  ['Avoid recent years', 'Vermeide Jahreszahlen.'],
  ['Avoid years that', 'Vermeide Jahre, die mit dir zu tun haben.'],
  ['Avoid dates and years', 'Vermeide Daten und Jahre, die mit dir zu tun haben.'],
  ["Capitalization doesn't", 'Ein großer Anfangsbuchstabe hilft kaum.'],
  ['All-uppercase', 'Nur Großbuchstaben helfen kaum.'],
  ['Reversed words', 'Rückwärts geschriebene Wörter helfen kaum.'],
  ['Predictable substitutions', 'Ersetzungen wie „@“ für „a“ helfen kaum.'],
];

/** Returns the known sentences of `detail` in German. */
export function passwordAdvice(detail: string): string {
  return SENTENCES.filter(([english]) => detail.includes(english))
    .map(([, german]) => german)
    .join(' ');
}
