/** The widgets that need more than a plain input; loaded when the first form is shown. */

export { ExpressionWidget, JsonWidget, SecretWidget, TemplateAreaWidget, TemplateWidget } from './Expression';
export { FlowWidget } from './Flow';
export { KeyValueWidget } from './KeyValue';
export { ListWidget } from './List';
export { PromptWidget } from './Prompt';
export { CalendarWidget, CredentialWidget, NumberListWidget, QueryWidget } from './Stored';
export { VariableWidget } from './Variable';
