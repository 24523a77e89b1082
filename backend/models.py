"""Every table, imported once, so that migrations and tests see the whole schema."""

from backend.agents.models import Agent, AgentReason, AgentStateLog, Team
from backend.audit.models import AuditEntry, AuditHead
from backend.calendars.models import CalendarRow
from backend.callbacks.models import EventMark, FlowRule, RuleStart
from backend.calls.models import Call, Leg, LiveTalk, Run, TrailEntry
from backend.chat.models import Announcement, AnnouncementSeen, ChatMember, ChatMessage
from backend.customers.models import Customer, CustomerField, CustomerLevel, CustomerNote, CustomerPhone, PinTry
from backend.database import Entity
from backend.datasources.models import DataSource, HttpCredential, NamedQuery
from backend.effects.models import EffectRecord
from backend.events import EventRow
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.models import Business, User, UserSession
from backend.leases.models import Lease
from backend.lists.models import ListEntry, NumberList
from backend.messages.models import OutboxMessage
from backend.numbers.models import EmergencyRoute, Extension, OutboundRule, OutboundUse, PhoneNumber, Trunk, TrunkState
from backend.phones.models import TrialCall
from backend.prompts.models import Prompt
from backend.queues.models import Queue, QueueEntry, QueueMember
from backend.recordings.models import CopyTarget, FileCopy, Recording, RecordingRule, RetentionRule
from backend.simulation.models import FlowCaseRow
from backend.tasks.models import Task
from backend.voicemails.models import Voicemail, VoicemailBox
from backend.wrapup.models import Disposition, WrapUp

metadata = Entity.metadata

__all__ = [
    "Agent",
    "AgentReason",
    "AgentStateLog",
    "Announcement",
    "AnnouncementSeen",
    "AuditEntry",
    "AuditHead",
    "Business",
    "CalendarRow",
    "Call",
    "ChatMember",
    "ChatMessage",
    "CopyTarget",
    "Customer",
    "CustomerField",
    "CustomerLevel",
    "CustomerNote",
    "CustomerPhone",
    "DataSource",
    "Disposition",
    "EffectRecord",
    "EmergencyRoute",
    "EventMark",
    "EventRow",
    "Extension",
    "FileCopy",
    "Flow",
    "FlowAlias",
    "FlowCaseRow",
    "FlowRule",
    "FlowVersion",
    "HttpCredential",
    "Lease",
    "Leg",
    "ListEntry",
    "LiveTalk",
    "NamedQuery",
    "NumberList",
    "OutboundRule",
    "OutboundUse",
    "OutboxMessage",
    "PhoneNumber",
    "PinTry",
    "Prompt",
    "Queue",
    "QueueEntry",
    "QueueMember",
    "Recording",
    "RecordingRule",
    "RetentionRule",
    "RuleStart",
    "Run",
    "Task",
    "Team",
    "TrailEntry",
    "TrialCall",
    "Trunk",
    "TrunkState",
    "User",
    "UserSession",
    "Voicemail",
    "VoicemailBox",
    "WrapUp",
    "metadata",
]
