/** What the trail says of a deed, in words: fields as the forms name them, values as people read them. Pure. */
import type { Language, Text } from '@/i18n';
import { duration } from '@/ui/format';
import { isRecord } from '@/ui/json';
import { PERMISSIONS } from '../identity/words';

export const FIELDS: Readonly<Record<string, Text>> = {
  active: { zh: '可以登录', en: 'May sign in' },
  address: { zh: '地址', en: 'Address' },
  addresses: { zh: '来电的源地址', en: 'Addresses that calls come from' },
  again_seconds: { zh: '未接后多久再振同一坐席', en: 'Same agent again after' },
  age_seconds: { zh: '每等待多久优先级加一', en: 'Priority +1 every' },
  agent: { zh: '坐席', en: 'Agent' },
  agents: { zh: '坐席人数', en: 'Agents' },
  alias: { zh: '版本', en: 'Version' },
  announce: { zh: '录音前提示', en: 'Announced' },
  announcement_en: { zh: '英文提示语', en: 'Announcement in English' },
  announcement_zh: { zh: '中文提示语', en: 'Announcement in Chinese' },
  assignee: { zh: '交给', en: 'Given to' },
  auto_answer: { zh: '自动接听', en: 'Answer by itself' },
  auto_release: { zh: '对方挂机后自动挂断', en: 'Hang up by itself when the other side has' },
  background: { zh: '背景', en: 'Background' },
  box: { zh: '留言箱', en: 'Voicemail box' },
  bucket: { zh: '存储桶', en: 'Bucket' },
  call_id: { zh: '通话', en: 'Call' },
  caller_id: { zh: '对方看到的主叫号码', en: 'Number shown to the called' },
  card: { zh: '卡号', en: 'Card' },
  case: { zh: '测试用例', en: 'Test case' },
  channels: { zh: '联系渠道', en: 'Channels' },
  code: { zh: '代码', en: 'Code' },
  codecs: { zh: '编解码器', en: 'Codecs' },
  colour: { zh: '颜色', en: 'Colour' },
  create_task: { zh: '为每条留言建任务', en: 'A task for each message' },
  customer: { zh: '客户', en: 'Customer' },
  days: { zh: '保留期限', en: 'Kept for' },
  days_added: { zh: '新增特殊日期', en: 'Days added' },
  days_removed: { zh: '移除特殊日期', en: 'Days removed' },
  description: { zh: '说明', en: 'Description' },
  destination: { zh: '去向', en: 'Goes to' },
  direction: { zh: '方向', en: 'Direction' },
  display_name: { zh: '显示名称', en: 'Name shown' },
  enabled: { zh: '启用', en: 'In use' },
  encryption: { zh: '语音加密', en: 'Encryption of the sound' },
  endpoint: { zh: '服务地址', en: 'Endpoint' },
  entries: { zh: '号码数', en: 'Numbers' },
  event: { zh: '触发事件', en: 'When' },
  extension: { zh: '分机', en: 'Extension' },
  fields: { zh: '填写的字段', en: 'Fields filled in' },
  flow: { zh: '流程', en: 'Flow' },
  folder: { zh: '文件夹', en: 'Folder' },
  from_hour: { zh: '开始时间', en: 'From' },
  gender: { zh: '性别', en: 'Gender' },
  gift_consent: { zh: '同意接收礼品', en: 'Agrees to gifts' },
  granted: { zh: '新授予的权限', en: 'Rights given' },
  host: { zh: '运营商地址', en: 'Address of the carrier' },
  hosts: { zh: '允许的主机', en: 'Hosts' },
  kind: { zh: '类型', en: 'Kind' },
  label_en: { zh: '英文名称', en: 'Label in English' },
  label_zh: { zh: '中文名称', en: 'Label in Chinese' },
  language: { zh: '语言', en: 'Language' },
  last_agent: { zh: '上次坐席优先', en: 'Last agent first' },
  last_agent_seconds: { zh: '等待上次坐席', en: 'Wait for the last agent' },
  level: { zh: '级别', en: 'Level' },
  limit_minutes: { zh: '时限', en: 'Limit' },
  max_calls: { zh: '最大并发通话', en: 'Calls at the same time' },
  max_misses: { zh: '未接几次后示忙', en: 'Missed calls until not ready' },
  max_per_hour: { zh: '每小时呼叫', en: 'Calls an hour' },
  max_waiting: { zh: '最多排队人数', en: 'Callers at most' },
  members: { zh: '成员', en: 'Members' },
  music: { zh: '等待音乐', en: 'Music' },
  name: { zh: '名称', en: 'Name' },
  needs_next_contact: { zh: '需要下次联系时间', en: 'Needs a next contact' },
  needs_note: { zh: '需要填写小结', en: 'Needs a note' },
  new_name: { zh: '新名称', en: 'New name' },
  note: { zh: '备注', en: 'Note' },
  number: { zh: '号码', en: 'Number' },
  on: { zh: '版本', en: 'Version' },
  outside_after: { zh: '几次未接后转外线', en: 'Outside number after so many missed offers' },
  outside_number: { zh: '外线号码', en: 'Outside number' },
  paid: { zh: '计入工时', en: 'Counts as work' },
  password_set: { zh: '密码', en: 'Password' },
  phone_kind: { zh: '话机', en: 'Phone' },
  phones: { zh: '号码', en: 'Numbers' },
  pin_set: { zh: '客户密码', en: 'PIN' },
  pop_url: { zh: '企业页面', en: 'Company page' },
  port: { zh: '端口', en: 'Port' },
  position: { zh: '顺序', en: 'Order' },
  prefix: { zh: '路径前缀', en: 'Prefix' },
  priority: { zh: '优先级', en: 'Priority' },
  queue: { zh: '队列', en: 'Queue' },
  queues: { zh: '队列', en: 'Queues' },
  reason: { zh: '原因', en: 'Reason' },
  record: { zh: '通话录音', en: 'Record calls' },
  recorded: { zh: '声音', en: 'Sound' },
  region: { zh: '地域', en: 'Region' },
  registers: { zh: '向运营商注册', en: 'Register at the carrier' },
  required: { zh: '必填', en: 'Required' },
  result: { zh: '结果', en: 'Result' },
  revision: { zh: '修订', en: 'Revision' },
  ring_seconds: { zh: '振铃时间', en: 'Ring time' },
  role: { zh: '角色', en: 'Role' },
  scope: { zh: '范围', en: 'Reach' },
  script: { zh: '话术', en: 'Script' },
  seat: { zh: '席位', en: 'Seat' },
  seats: { zh: '服务席位', en: 'Seats that serve' },
  secure: { zh: '加密传输', en: 'Over TLS' },
  service_level_seconds: { zh: '服务水平时限', en: 'Service level: answered within' },
  service_level_target: { zh: '服务水平目标', en: 'Service level: target' },
  share: { zh: '录音比例', en: 'Share recorded' },
  skills: { zh: '技能', en: 'Skills' },
  source: { zh: '数据库', en: 'Database' },
  sql: { zh: 'SQL 语句', en: 'SQL' },
  state: { zh: '状态', en: 'State' },
  strategy: { zh: '下一个来电者给谁', en: 'Who gets the next caller' },
  success: { zh: '计为成功', en: 'Counts as a success' },
  tags: { zh: '标签', en: 'Tags' },
  team: { zh: '班组', en: 'Team' },
  text: { zh: '文字', en: 'Text' },
  timeout: { zh: '最长用时', en: 'Longest time' },
  timezone: { zh: '时区', en: 'Time zone' },
  title: { zh: '名称', en: 'Title' },
  to: { zh: '交给', en: 'Given to' },
  to_hour: { zh: '结束时间', en: 'Until' },
  transport: { zh: '传输协议', en: 'Transport' },
  trunk: { zh: '中继', en: 'Trunk' },
  unlocked: { zh: '锁定', en: 'Lock' },
  urgent: { zh: '紧急', en: 'Urgent' },
  url_set: { zh: '地址', en: 'Address' },
  user_id: { zh: '使用人', en: 'Person' },
  username: { zh: '用户名', en: 'User name' },
  value: { zh: '针对', en: 'Of' },
  verify: { zh: '校验运营商证书', en: 'Check the carrier’s certificate' },
  version: { zh: '版本号', en: 'Version number' },
  vip: { zh: 'VIP', en: 'VIP' },
  week: { zh: '每周时间', en: 'Hours of the week' },
  what: { zh: '内容', en: 'What' },
  why: { zh: '原因', en: 'Why' },
  withdrawn: { zh: '收回的权限', en: 'Rights taken away' },
  wrap_up_by_hand: { zh: '手动结束事后处理', en: 'End the wrap-up by hand' },
  wrap_up_seconds: { zh: '事后处理', en: 'Wrap-up' },
};

const SEATS: Record<string, Text> = {
  ordinary: { zh: '普通坐席', en: 'Ordinary' },
  expert: { zh: '专家坐席', en: 'Expert' },
  supervisor: { zh: '班长坐席', en: 'Supervisor' },
};
const VERSIONS: Record<string, Text> = {
  draft: { zh: '草稿', en: 'Draft' },
  live: { zh: '线上', en: 'Live' },
  test: { zh: '测试', en: 'Test' },
};
/** What the codes of a field mean. */
export const VALUES: Readonly<Record<string, Readonly<Record<string, Text>>>> = {
  alias: VERSIONS,
  direction: {
    inbound: { zh: '呼入', en: 'Incoming' },
    outbound: { zh: '呼出', en: 'Outgoing' },
    internal: { zh: '内部', en: 'Internal' },
  },
  encryption: { off: { zh: '不加密', en: 'Off' }, srtp: { zh: 'SRTP', en: 'SRTP' } },
  event: {
    'queue.abandoned': { zh: '排队中放弃', en: 'A caller left a queue' },
    'call.missed': { zh: '未接来电', en: 'Nobody answered a call' },
    'voicemail.left': { zh: '收到留言', en: 'A message was left' },
  },
  kind: {
    black: { zh: '黑名单', en: 'Blacklist' },
    white: { zh: '白名单', en: 'Whitelist' },
    vip: { zh: 'VIP', en: 'VIP' },
    callback: { zh: '回拨', en: 'Call back' },
    voicemail: { zh: '留言', en: 'Voicemail' },
    missed: { zh: '未接来电', en: 'Missed call' },
    planned: { zh: '计划联系', en: 'Planned contact' },
    work: { zh: '待办', en: 'To do' },
    announcement: { zh: '公告', en: 'Announcement' },
    line: { zh: '滚动字幕', en: 'Running line' },
    folder: { zh: '文件夹', en: 'Folder' },
    s3: { zh: '对象存储（S3）', en: 'Object store (S3)' },
    text: { zh: '文本', en: 'Text' },
    long: { zh: '长文本', en: 'Long text' },
    number: { zh: '数字', en: 'Number' },
    date: { zh: '日期', en: 'Date' },
    yes_no: { zh: '是或否', en: 'Yes or no' },
    choice: { zh: '单选', en: 'One of a list' },
    choices: { zh: '多选', en: 'Several of a list' },
    phone: { zh: '电话号码', en: 'Phone number' },
    mail: { zh: '邮箱', en: 'Mail address' },
    url: { zh: '网址', en: 'Web address' },
  },
  number_class: {
    national: { zh: '国内固话', en: 'National landline' },
    mobile: { zh: '手机', en: 'Mobile' },
    toll_free: { zh: '免费电话', en: 'Toll-free' },
    service: { zh: '服务号码', en: 'Service' },
    premium: { zh: '信息费号码', en: 'Premium rate' },
    international: { zh: '国际长途', en: 'International' },
  },
  on: VERSIONS,
  phone_kind: {
    browser: { zh: '浏览器', en: 'In the browser' },
    sip: { zh: 'SIP 话机', en: 'SIP phone' },
    outside: { zh: '外线号码', en: 'Outside number' },
  },
  role: {
    admin: { zh: '管理员', en: 'Administrator' },
    supervisor: { zh: '班长', en: 'Supervisor' },
    quality: { zh: '质检员', en: 'Quality inspector' },
    agent: { zh: '坐席', en: 'Agent' },
  },
  scope: {
    own: { zh: '仅本人', en: 'Own only' },
    group: { zh: '本组', en: 'Own group' },
    all: { zh: '全部', en: 'Everybody’s' },
    number: { zh: '号码', en: 'A number' },
    queue: { zh: '队列', en: 'A queue' },
    agent: { zh: '坐席', en: 'An agent' },
    box: { zh: '留言箱', en: 'A voicemail box' },
  },
  seat: SEATS,
  seats: SEATS,
  state: {
    ready: { zh: '示闲', en: 'Ready' },
    not_ready: { zh: '示忙', en: 'Not ready' },
    signed_out: { zh: '签出', en: 'Signed out' },
    new: { zh: '新留言', en: 'New' },
    heard: { zh: '已听', en: 'Heard' },
    accepted: { zh: '处理中', en: 'Being handled' },
    done: { zh: '已处理', en: 'Done' },
  },
  strategy: {
    longest_idle: { zh: '空闲最久者', en: 'Whoever is free longest' },
    fewest_calls: { zh: '接听最少者', en: 'Whoever had the fewest calls' },
    even_share: { zh: '话务均分', en: 'Even share of talk time' },
    skill: { zh: '技能最高者', en: 'Whoever is most skilled' },
    ring_order: { zh: '按振铃顺序', en: 'In the ring order' },
    last_agent: { zh: '上次服务者', en: 'Whoever served them last' },
  },
  transport: { udp: { zh: 'UDP', en: 'UDP' }, tcp: { zh: 'TCP', en: 'TCP' }, tls: { zh: 'TLS', en: 'TLS' } },
  what: { recording: { zh: '录音', en: 'Recordings' }, voicemail: { zh: '留言', en: 'Voicemail' } },
  why: { retention: { zh: '超过保留期限', en: 'Kept long enough' } },
};
/** Where nothing given means something. */
const NOTHING: Readonly<Record<string, Text>> = {
  flow: { zh: '未指定流程', en: 'No flow' },
  language: { zh: '企业默认', en: 'As the business' },
  success: { zh: '不计', en: 'Neither' },
  trunk: { zh: '按优先级', en: 'By priority' },
  user_id: { zh: '无', en: 'Nobody' },
  wrap_up_seconds: { zh: '按队列设置', en: 'As the queue' },
};
/** Deeds that are told by a mark alone. */
const DONE: Readonly<Record<string, Text>> = {
  password_set: { zh: '已更新', en: 'set anew' },
  pin_set: { zh: '已更新', en: 'set anew' },
  recorded: { zh: '录音', en: 'recorded' },
  unlocked: { zh: '已解除', en: 'lifted' },
  url_set: { zh: '已更新', en: 'set anew' },
};
const WEEKDAYS: Readonly<Record<string, Text>> = {
  mon: { zh: '周一', en: 'Mon' },
  tue: { zh: '周二', en: 'Tue' },
  wed: { zh: '周三', en: 'Wed' },
  thu: { zh: '周四', en: 'Thu' },
  fri: { zh: '周五', en: 'Fri' },
  sat: { zh: '周六', en: 'Sat' },
  sun: { zh: '周日', en: 'Sun' },
};
const PEOPLE = new Set(['agent', 'assignee', 'members', 'to', 'user_id', 'value']);
const PERCENT = new Set(['service_level_target', 'share']);
const ID = /^[0-9a-f]{32}$/;

/** What it takes to tell a value: the language, and names of people and languages. */
export interface Teller {
  language: Language;
  person: (id: string) => string;
  tongue: (tag: string) => string;
}

export interface Line {
  field: string;
  /** The field's name; empty for one without a name of its own. */
  name: Text | undefined;
  now: unknown;
  was?: unknown;
  changed: boolean;
}

/** The lines of an entry: what was changed first. */
export function linesOf(details: unknown): Line[] {
  if (!isRecord(details)) return [];
  const was = isRecord(details.was) ? details.was : {};
  const lines = Object.entries(details)
    .filter(([field]) => field !== 'was')
    .map(([field, now]) => ({ field, name: FIELDS[field], now, was: was[field], changed: field in was }));
  return [...lines.filter((one) => one.changed), ...lines.filter((one) => !one.changed)];
}

/** A value as people read it. */
export function told(field: string, value: unknown, { language, person, tongue }: Teller): string {
  const say = (text: Text) => text[language];
  const list = (parts: string[]) => parts.join(language === 'zh' ? '、' : ', ');
  const one = (given: unknown): string => {
    if (given === true && DONE[field]) return say(DONE[field]);
    if (typeof given === 'boolean') return given ? say({ zh: '是', en: 'yes' }) : say({ zh: '否', en: 'no' });
    if (given === null || given === undefined || given === '')
      return say(NOTHING[field] ?? { zh: '（空）', en: '(empty)' });
    const code = String(given);
    const known = VALUES[field]?.[code];
    if (known) return say(known);
    if (field.endsWith('_seconds') || field === 'timeout') {
      if (field === 'wrap_up_seconds' && given === -1)
        return say({ zh: '由坐席结束', en: 'until the agent ends it' });
      return span(Number(given), language);
    }
    if (field === 'limit_minutes')
      return given === 0 ? say({ zh: '不限', en: 'none' }) : span(Number(given) * 60, language);
    if (field === 'max_waiting' && given === 0) return say({ zh: '不限', en: 'any number' });
    if (field === 'max_per_hour' && given === 0) return say({ zh: '禁止呼出', en: 'refused' });
    if (field === 'days') return say({ zh: `${code} 天`, en: given === 1 ? '1 day' : `${code} days` });
    if (field === 'why' && /^\d+ days$/.test(code))
      return say({ zh: `超过保留期限 ${code.split(' ')[0]} 天`, en: `kept for ${code}` });
    if (PERCENT.has(field)) return `${code} %`;
    if (field === 'from_hour' || field === 'to_hour') return `${code.padStart(2, '0')}:00`;
    if (field === 'version') return `v${code}`;
    if (field === 'language') return tongue(code);
    if (field === 'granted' || field === 'withdrawn')
      return PERMISSIONS[code] ? say(PERMISSIONS[code]) : code;
    if (field === 'fields') return FIELDS[code] ? say(FIELDS[code]) : code;
    if (PEOPLE.has(field)) return person(code);
    if (isRecord(given)) return JSON.stringify(given);
    return code;
  };
  if (Array.isArray(value)) return value.length === 0 ? one('') : list(value.map(one));
  if (field === 'week' && isRecord(value)) return weekTold(value, language);
  if (isRecord(value)) {
    const parts = Object.entries(value).map(([name, given]) => `${name} ${one(given)}`);
    return parts.length === 0 ? one('') : list(parts);
  }
  return one(value);
}

/** A span of time without seconds that it does not have. */
const span = (seconds: number, language: Language): string =>
  duration(seconds, language).replace(/(?<=\D) 00 (s|秒|min|分)$/, '');

/** Days with the same hours in one: "Mon–Fri 09:00–18:00, Sat 10:00–16:00"; closed days are left out. */
function weekTold(week: Record<string, unknown>, language: Language): string {
  const groups: { days: string[]; hours: string }[] = [];
  for (const [key, name] of Object.entries(WEEKDAYS)) {
    const spans = Array.isArray(week[key]) ? (week[key] as unknown[]) : [];
    const hours = spans
      .map((one) => (Array.isArray(one) ? one.join('\u2060–\u2060') : String(one)))
      .join(' ');
    const last = groups.at(-1);
    if (last && last.hours === hours) last.days.push(name[language]);
    else groups.push({ days: [name[language]], hours });
  }
  const parts = groups
    .filter((group) => group.hours)
    .map(({ days, hours }) => `${days.length > 1 ? `${days[0]}–${days.at(-1)}` : days[0]} ${hours}`);
  if (parts.length === 0) return language === 'zh' ? '全部休息' : 'closed all week';
  return parts.join(language === 'zh' ? '；' : ', ');
}

/** Whether it is an identity of the trail's own and nothing that people read. */
export const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value);

/** Where the thing stands that a deed was done to, as far as its identity leads there. */
export function placeOf(action: string, subject: string): string | null {
  if (!isId(subject)) return null;
  if (action.startsWith('customer.')) return `/customers?open=${subject}`;
  if (action === 'queue.given' || action === 'queue.priority') return `/calls/${subject}`;
  return null;
}
