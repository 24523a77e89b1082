/** What the console asks of the API. */
import { graphql } from '@/gql';

export const AGENT_PARTS = graphql(`
  fragment AgentParts on AgentLive {
    userId name displayName team extension phoneKind seat autoAnswer autoRelease
    state reason since until limitAt wish wishReason signedInAt calls busySeconds misses queues
    helpSince helpNote helpByName
    call {
      entryId callId queue queueLabel { zh en } caller called region { zh en } customerId customerName vip transferred flow
      waitedSeconds since ringSeconds kind script popUrl wrapUpSeconds
    }
  }
`);

export const MY_AGENT = graphql(`
  query MyAgent {
    myAgent { ...AgentParts }
    agentReasons { key labelZh labelEn enabled }
  }
`);

export const MY_AGENT_CHANGES = graphql(`
  subscription MyAgentChanges {
    myAgentChanges { ...AgentParts }
  }
`);

export const OWN_CALL_PARTS = graphql(`
  fragment OwnCallParts on OwnCall {
    callId legId role state direction number name customerId called flowKey
    startedAt answeredAt since recording thirdResult
    parties { channel role number name up hears muted watching away mine }
  }
`);

export const MY_CALLS = graphql(`
  subscription MyCalls {
    myCalls { ...OwnCallParts }
  }
`);

export const MY_QUEUES = graphql(`
  subscription MyQueues {
    myQueues { name label { zh en } waiting longestSince ready allBusy }
  }
`);

export const SIGN_IN = graphql(`
  mutation AgentSignIn($ready: Boolean!) {
    agentSignIn(ready: $ready) { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const SIGN_OUT = graphql(`
  mutation AgentSignOut {
    agentSignOut { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const CALL_FOR_HELP = graphql(`
  mutation CallForHelp($note: String!) {
    callForHelp(note: $note) { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const END_HELP = graphql(`
  mutation EndHelp {
    endHelp { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const READY = graphql(`
  mutation AgentReady {
    agentReady { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const NOT_READY = graphql(`
  mutation AgentNotReady($reason: String!) {
    agentNotReady(reason: $reason) { value { ...AgentParts } errors { ...Refusal } }
  }
`);
export const END_WRAP_UP = graphql(`
  mutation EndWrapUp {
    endWrapUp { value { ...AgentParts } errors { ...Refusal } }
  }
`);

export const DIAL = graphql(`
  mutation DialNumber($number: String!, $op: String!) {
    dialNumber(number: $number, op: $op) { value errors { ...Refusal } }
  }
`);
export const HOLD = graphql(`
  mutation HoldCall($call: String!, $op: String!) {
    holdCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const RESUME = graphql(`
  mutation ResumeCall($call: String!, $op: String!) {
    resumeCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const MUTE = graphql(`
  mutation MuteCall($call: String!, $on: Boolean!, $op: String!) {
    muteCall(callId: $call, on: $on, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const CONSULT = graphql(`
  mutation ConsultCall($call: String!, $number: String!, $op: String!) {
    consultCall(callId: $call, number: $number, op: $op) {
      value { ok } errors { ...Refusal }
    }
  }
`);
export const SWAP = graphql(`
  mutation SwapCall($call: String!, $to: String!, $op: String!) {
    swapCall(callId: $call, to: $to, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const JOIN = graphql(`
  mutation JoinCall($call: String!, $op: String!) {
    joinCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const DROP_THIRD = graphql(`
  mutation DropThird($call: String!, $op: String!) {
    dropThird(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const COMPLETE = graphql(`
  mutation CompleteTransfer($call: String!, $op: String!) {
    completeTransfer(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const TRANSFER = graphql(`
  mutation TransferCall($call: String!, $op: String!, $number: String!, $queue: String!, $flow: String!) {
    transferCall(callId: $call, op: $op, number: $number, queue: $queue, flow: $flow) {
      value { ok } errors { ...Refusal }
    }
  }
`);
export const PRESS = graphql(`
  mutation PressKeys($call: String!, $keys: String!, $op: String!) {
    pressKeys(callId: $call, keys: $keys, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const RECORD = graphql(`
  mutation RecordCall($call: String!, $on: Boolean!, $op: String!) {
    recordCall(callId: $call, on: $on, op: $op) { value { ok } errors { ...Refusal } }
  }
`);
export const LEAVE = graphql(`
  mutation LeaveCall($call: String!, $op: String!) {
    leaveCall(callId: $call, op: $op) { value { ok } errors { ...Refusal } }
  }
`);

export const TASK_PARTS = graphql(`
  fragment TaskParts on Task {
    id kind title note state priority dueAt remindAt number region { zh en } queue attempts overdue customerId callId voicemailId
    createdAt customer { id name level } assignee { id name }
    voicemail { id seconds url }
  }
`);

export const MY_TASKS = graphql(`
  query MyTasks($after: String, $until: DateTime!) {
    taskBoard { begins ends done left overdue tomorrow }
    tasks(first: 100, after: $after, filter: { dueUntil: $until }) { nodes { ...TaskParts } endCursor hasNext }
  }
`);

export const TASK_EVENTS = graphql(`
  subscription TaskEvents {
    taskEvents { what taskId at task { ...TaskParts } }
  }
`);

export const TAKE_TASK = graphql(`
  mutation TakeTask($id: String!) {
    takeTask(id: $id) { value { ...TaskParts } errors { ...Refusal } }
  }
`);
export const PUT_BACK_TASK = graphql(`
  mutation PutBackTask($id: String!) {
    putBackTask(id: $id) { value { ...TaskParts } errors { ...Refusal } }
  }
`);
export const COMPLETE_TASK = graphql(`
  mutation CompleteTask($id: String!, $result: String!, $note: String!) {
    completeTask(id: $id, result: $result, note: $note) {
      value { ...TaskParts } errors { ...Refusal }
    }
  }
`);
export const POSTPONE_TASK = graphql(`
  mutation PostponeTask($id: String!, $until: DateTime!, $attempt: Boolean!) {
    postponeTask(id: $id, until: $until, attempt: $attempt) {
      value { ...TaskParts } errors { ...Refusal }
    }
  }
`);
export const CREATE_TASK = graphql(`
  mutation CreateTask($input: TaskInput!) {
    createTask(input: $input) { value { ...TaskParts } errors { ...Refusal } }
  }
`);

export const CUSTOMER_PARTS = graphql(`
  fragment CustomerParts on Customer {
    id name card gender address level background channels note giftConsent fields phones createdAt
    numbers { number region { place { zh en } } }
  }
`);
export const CUSTOMER = graphql(`
  query ConsoleCustomer($id: String!) {
    customer(id: $id) { ...CustomerParts }
    customerLevels { key label { zh en } vip }
  }
`);
export const CUSTOMER_FORM = graphql(`
  query CustomerFormParts {
    customerFields { key label { zh en } kind required enabled choices { value label { zh en } } }
    customerLevels { key label { zh en } vip }
    customerChannels { value label { zh en } }
  }
`);
export const CUSTOMER_BY_NUMBER = graphql(`
  query ConsoleCustomerByNumber($number: String!) {
    customerByNumber(number: $number) { ...CustomerParts }
    numberRegion(number: $number) { place { zh en } }
  }
`);
export const FIND_CUSTOMERS = graphql(`
  query ConsoleFindCustomers($search: String!) {
    customers(first: 8, search: $search) { nodes { id name level phones } }
  }
`);
export const TIMELINE = graphql(`
  query ConsoleTimeline($id: String!, $after: String, $search: String!) {
    customer(id: $id) {
      id
      timeline(first: 20, after: $after, search: $search) {
        nodes { id kind at text direction number state seconds callId recordingId voicemailId taskId code author }
        endCursor hasNext
      }
    }
  }
`);
export const SAVE_CUSTOMER = graphql(`
  mutation ConsoleSaveCustomer($input: CustomerInput!, $id: String) {
    saveCustomer(input: $input, id: $id) {
      value { ...CustomerParts } errors { ...Refusal }
    }
  }
`);
export const ADD_NOTE = graphql(`
  mutation ConsoleAddNote($customer: String!, $text: String!) {
    addCustomerNote(customerId: $customer, text: $text) {
      value { id } errors { ...Refusal }
    }
  }
`);
export const CALL_PATH = graphql(`
  subscription ConsolePath($call: String!) {
    trail(callId: $call) { runId seq flowKey nodeId nodeName nodeType entered left port error }
  }
`);

export const DISPOSITIONS = graphql(`
  query ConsoleDispositions($queue: String) {
    dispositions(queue: $queue) { id code label { zh en } parentId needsNextContact needsNote enabled }
  }
`);
export const SAVE_WRAP_UP = graphql(`
  mutation SaveWrapUp($call: String!, $input: WrapUpInput!) {
    saveWrapUp(callId: $call, input: $input) {
      value { id code } errors { ...Refusal }
    }
  }
`);

export const TARGETS = graphql(`
  query TransferTargets {
    agentDirectory { userId displayName extension team state }
    queueNames { name label { zh en } enabled }
    transferFlows { key name }
  }
`);

export const CHANNELS = graphql(`
  query ChatChannels {
    chatChannels { name unread other { id name } last { id text sentAt sender { id name } } }
  }
`);
export const MESSAGES = graphql(`
  query ChatMessages($channel: String!) {
    chatMessages(channel: $channel, first: 50) { nodes { id channel text urgent sentAt sender { id name } } }
  }
`);
export const HOUSE_NEWS = graphql(`
  subscription HouseNews {
    houseNews { what channel message { id channel text urgent sentAt sender { id name } } }
  }
`);
export const SEND_MESSAGE = graphql(`
  mutation SendChatMessage($text: String!, $to: String, $channel: String!, $urgent: Boolean!) {
    sendChatMessage(text: $text, to: $to, channel: $channel, urgent: $urgent) {
      value { id channel } errors { ...Refusal }
    }
  }
`);
export const MARK_READ = graphql(`
  mutation MarkChatRead($channel: String!) {
    markChatRead(channel: $channel) { value { ok } errors { code } }
  }
`);
export const ANNOUNCEMENTS = graphql(`
  query CurrentAnnouncements {
    currentAnnouncements { confirmed announcement { id title text urgent } }
    runningLines { id text }
  }
`);
export const CONFIRM = graphql(`
  mutation ConfirmAnnouncement($id: String!) {
    confirmAnnouncement(id: $id) { value { id } errors { code } }
  }
`);

export const DIALLED_END = graphql(`
  query DialledEnd($call: String!) {
    dialledEnd(callId: $call)
  }
`);
