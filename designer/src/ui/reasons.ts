/** Why a step or a flow failed, in words: the server gives a stable code that flows branch on. */
import { useCallback } from 'react';
import { defineWords, useWords } from '@/i18n';

const WORDS = {
  already_done: { zh: '已经做过', en: 'It was done already' },
  asr_failed: { zh: '语音识别失败', en: 'Speech recognition failed' },
  bad_address: { zh: '邮箱地址不正确', en: 'The mail address is not right' },
  bad_audio: { zh: '音频无法读取', en: 'The audio cannot be read' },
  bad_config: { zh: '节点设置不正确', en: 'The settings of the node are not right' },
  bad_field: { zh: '没有这个字段', en: 'There is no such field' },
  bad_input: { zh: '子流程的输入不正确', en: 'An input of the subflow is not right' },
  bad_language_pack: { zh: '语言包无法使用', en: 'The language pack cannot be used' },
  bad_message: { zh: '消息内容不正确', en: 'The message is not right' },
  bad_number: { zh: '号码不正确', en: 'The number is not right' },
  bad_order: { zh: '操作顺序不正确', en: 'The order does not fit' },
  bad_output: { zh: '子流程的输出不正确', en: 'An output of the subflow is not right' },
  bad_parameters: { zh: '查询参数不正确', en: 'The parameters of the query are not right' },
  bad_seconds: { zh: '等待时间不正确', en: 'The time to wait is not right' },
  bad_time: { zh: '时间不正确', en: 'The time is not right' },
  bad_times: { zh: '次数不正确', en: 'The number of times is not right' },
  bad_url: { zh: '网址不正确', en: 'The address is not right' },
  bad_value: { zh: '值不正确', en: 'The value is not right' },
  blocked_address: { zh: '不允许访问该地址', en: 'This address may not be reached' },
  busy: { zh: '忙', en: 'Busy' },
  cancelled: { zh: '已取消', en: 'Cancelled' },
  connect_failed: { zh: '无法连接', en: 'It could not be reached' },
  database_failed: { zh: '数据库出错', en: 'The database failed' },
  empty_message: { zh: '消息为空', en: 'The message is empty' },
  expression_forbidden: { zh: '表达式中有不允许的写法', en: 'The expression uses what is not allowed' },
  expression_syntax: { zh: '表达式写法有误', en: 'The expression is not written right' },
  expression_too_large: { zh: '表达式的结果太大', en: 'The result of the expression is too large' },
  expression_type: { zh: '表达式中的类型不符', en: 'The types in the expression do not fit' },
  expression_undefined: { zh: '表达式用到了没有的值', en: 'The expression needs a value that is missing' },
  expression_zero_division: { zh: '表达式除以了零', en: 'The expression divides by zero' },
  gateway_away: { zh: '电话网关不可用', en: 'The phone gateway is away' },
  gateway_lost: { zh: '电话网关中断', en: 'The phone gateway was lost' },
  hearing_failed: { zh: '无法听取来电者', en: 'The caller could not be listened to' },
  internal: { zh: '内部错误', en: 'An internal error' },
  lost: { zh: '电话引擎中断', en: 'The phone engine was lost' },
  no_call: { zh: '通话已不存在', en: 'The call is gone' },
  no_hearing: { zh: '此处无法语音识别', en: 'Speech cannot be recognised here' },
  no_language_pack: { zh: '没有该语言的语音识别包', en: 'No language pack for speech recognition' },
  no_prompt: { zh: '语音库中没有这段语音', en: 'The prompt is not in the library' },
  no_recording: { zh: '录音不存在', en: 'The recording does not exist' },
  no_talk: { zh: '没有正在进行的通话', en: 'Nobody is talking' },
  no_voice: { zh: '没有该语言的合成语音', en: 'No voice speaks this language' },
  not_allowed: { zh: '不允许', en: 'Not allowed' },
  not_found: { zh: '没有找到', en: 'Not found' },
  not_kept: { zh: '未能保存', en: 'It could not be kept' },
  not_possible: { zh: '现在无法这样做', en: 'Not possible now' },
  not_prepared: {
    zh: '没有为此节点准备回答（可在模拟器的“场景”里给出）',
    en: 'No answer was prepared for this node (give one under Scene)',
  },
  not_recorded: { zh: '当时没有记录结果', en: 'What it came to was not recorded' },
  not_sent: { zh: '没有发出', en: 'It was not sent' },
  not_waiting: { zh: '来电者不在排队', en: 'The caller does not wait' },
  playback_failed: { zh: '语音播放失败', en: 'The prompt could not be played' },
  recording_failed: { zh: '录音失败', en: 'Recording failed' },
  refused: { zh: '被拒绝', en: 'Refused' },
  rejected: { zh: '对方拒收', en: 'The other side refuses it' },
  sign_in_failed: { zh: '登录失败', en: 'The sign-in failed' },
  stopped: { zh: '已停止', en: 'Stopped' },
  step_limit: { zh: '步骤数超过上限', en: 'More steps than allowed' },
  timeout: { zh: '超时', en: 'It took too long' },
  too_deep: { zh: '子流程嵌套过深', en: 'Subflows are nested too deep' },
  too_large: { zh: '内容太大', en: 'It is too large' },
  too_many_redirects: { zh: '重定向次数过多', en: 'Too many redirects' },
  tts_failed: { zh: '语音合成失败', en: 'The speech could not be made' },
  unavailable: { zh: '暂时不可用', en: 'Not available now' },
  undeclared_output: { zh: '节点给出了未声明的输出', en: 'The node gave an output that it does not declare' },
  undeclared_port: { zh: '节点走了未声明的出口', en: 'The node left by a way that it does not declare' },
  unknown: { zh: '结果未知', en: 'Nobody knows whether it was done' },
  unknown_agent: { zh: '没有这个坐席', en: 'There is no such agent' },
  unknown_calendar: { zh: '没有这个日历', en: 'There is no such calendar' },
  unknown_column: { zh: '查询结果没有这一列', en: 'The query has no such column' },
  unknown_credential: { zh: '没有这个凭据', en: 'There is no such credential' },
  unknown_list: { zh: '没有这个名单', en: 'There is no such list' },
  unknown_node: { zh: '没有这种节点', en: 'There is no such node' },
  unknown_query: { zh: '没有这个查询', en: 'There is no such query' },
  unknown_queue: { zh: '没有这个队列', en: 'There is no such queue' },
  unknown_shortcut: { zh: '没有这个快捷键', en: 'There is no such key' },
  unknown_variable: { zh: '没有这个变量', en: 'There is no such variable' },
  wrong_state: { zh: '通话状态不允许', en: 'The state of the call does not allow it' },
} as const;

type Reason = keyof typeof WORDS;

const reasonWords = defineWords('reasons', {
  en: Object.fromEntries(Object.entries(WORDS).map(([code, words]) => [code, words.en])) as Record<
    Reason,
    string
  >,
  zh: Object.fromEntries(Object.entries(WORDS).map(([code, words]) => [code, words.zh])) as Record<
    Reason,
    string
  >,
});

/** A reason in the person's language; a code of a node from elsewhere is told as it is. */
export function useReason(): (code: string) => string {
  const w = useWords(reasonWords);
  return useCallback((code: string) => (code in WORDS ? w(code as Reason) : code), [w]);
}
