export { callError, microphoneError, PhoneError, type PhoneErrorCode } from './errors';
export {
  type CallState,
  checkBrowser,
  Phone,
  type PhoneCall,
  type PhoneCredentials,
  type PhoneOptions,
  type PhoneSnapshot,
  type PhoneState,
} from './phone';
