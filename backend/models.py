"""Every table, imported once, so that migrations and tests see the whole schema."""

from backend.audit.models import AuditEntry, AuditHead
from backend.calendars.models import CalendarRow
from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.customers.models import Customer, CustomerPhone, PinTry
from backend.database import Entity
from backend.datasources.models import DataSource, HttpCredential, NamedQuery
from backend.effects.models import EffectRecord
from backend.events import EventRow
from backend.flows.models import Flow, FlowAlias, FlowVersion
from backend.identity.models import Business, User, UserSession
from backend.leases.models import Lease
from backend.lists.models import ListEntry, NumberList
from backend.messages.models import OutboxMessage
from backend.numbers.models import EmergencyRoute, Extension, OutboundRule, OutboundUse, PhoneNumber, Trunk
from backend.phones.models import TrialCall
from backend.prompts.models import Prompt
from backend.recordings.models import Recording
from backend.simulation.models import FlowCaseRow
from backend.voicemails.models import Voicemail

metadata = Entity.metadata

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Business",
    "CalendarRow",
    "Call",
    "Customer",
    "CustomerPhone",
    "DataSource",
    "EffectRecord",
    "EmergencyRoute",
    "EventRow",
    "Extension",
    "Flow",
    "FlowAlias",
    "FlowCaseRow",
    "FlowVersion",
    "HttpCredential",
    "Lease",
    "Leg",
    "ListEntry",
    "NamedQuery",
    "NumberList",
    "OutboundRule",
    "OutboundUse",
    "OutboxMessage",
    "PhoneNumber",
    "PinTry",
    "Prompt",
    "Recording",
    "Run",
    "TrailEntry",
    "TrialCall",
    "Trunk",
    "User",
    "UserSession",
    "Voicemail",
    "metadata",
]
