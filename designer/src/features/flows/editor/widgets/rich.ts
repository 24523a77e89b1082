/** The widgets that need more than a plain input; loaded when the first form is shown. */
export { CalendarWidget, CredentialWidget, NumberListWidget, QueryWidget } from './Stored';
export { ExpressionWidget, JsonWidget, SecretWidget, TemplateAreaWidget, TemplateWidget } from './Expression';
export { FlowWidget } from './Flow';
export { KeyValueWidget } from './KeyValue';
export { ListWidget } from './List';
export { PromptWidget } from './Prompt';
export { VariableWidget } from './Variable';
