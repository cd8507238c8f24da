export { MailLink, readMailLink } from './MailLink';
export { SignIn } from './SignIn';
