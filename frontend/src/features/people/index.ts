export { Nickname } from './Nickname';
export { PeoplePicker } from './PeoplePicker';
export { usePeopleSearch } from './usePeopleSearch';
