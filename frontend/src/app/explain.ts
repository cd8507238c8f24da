/** Converts errors into texts for the user. */
import { ApiError, NetworkError } from '@/api/http';
import type { I18n } from '@/lib/i18n';
import { waitText } from '@/lib/time';
import { RequestError } from '@/realtime/client';

/** Codes for which the server's text is more specific than the catalogue: which value, how many members. */
const MORE_IN_DETAIL = new Set(['bad_request', 'conflict', 'forbidden', 'full', 'too_large', 'validation']);

export function explain(i18n: I18n, error: unknown): string {
  const { language, maybe, t } = i18n;
  if (error instanceof NetworkError) return t('error.network');
  if (!(error instanceof ApiError || error instanceof RequestError)) return t('error.internal');
  const { code, message, retryAfterMs } = error;
  if (code === 'rate_limited' && retryAfterMs !== undefined) {
    return t('error.rate_limited.wait', waitText(i18n, retryAfterMs));
  }
  // The server's texts are in English.
  if (language === 'en' && MORE_IN_DETAIL.has(code) && message !== '') return sentence(message);
  return maybe(`error.${code}`) ?? message;
}

/** The server's text starts with a field name, as in "display_name must be one line.". */
function sentence(detail: string): string {
  const words = detail.replace(/^[a-z_]+/, (field) => field.replaceAll('_', ' '));
  return words.charAt(0).toUpperCase() + words.slice(1);
}
