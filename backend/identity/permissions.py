"""Who may do what: actors, permissions and the four roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.identity.scope import People, Scope
from nodes.sdk.text import Text, text


class Role(StrEnum):
    """The ready roles."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    QUALITY = "quality"
    AGENT = "agent"


class Permission(StrEnum):
    """One kind of deed. Rights start minimal: what a role does not list, it may not do."""

    SIGNED_IN = "signed_in"
    """Held by whoever is signed in, whatever their role."""
    USERS = "users.manage"
    SYSTEM = "system.manage"
    AUDIT = "audit.read"
    FLOWS_READ = "flows.read"
    FLOWS_EDIT = "flows.edit"
    FLOWS_PUBLISH = "flows.publish"
    NUMBERS_READ = "numbers.read"
    NUMBERS = "numbers.manage"
    CALLS_READ = "calls.read"
    CALLS_NOTE = "calls.note"
    RECORDINGS_LISTEN = "recordings.listen"
    RECORDINGS_OWN = "recordings.own"
    RECORDINGS_DOWNLOAD = "recordings.download"
    RECORDINGS_DELETE = "recordings.delete"
    RECORDING_RULES = "recordings.rules"
    VOICEMAILS = "voicemails.handle"
    VOICEMAILS_ALL = "voicemails.all"
    VOICEMAILS_DELETE = "voicemails.delete"
    TASKS = "tasks.handle"
    TASKS_ALL = "tasks.all"
    WRAP_UP = "wrap_up.save"
    DISPOSITIONS = "dispositions.manage"
    CHAT = "chat.use"
    ANNOUNCE = "announcements.manage"
    FLOW_RULES = "flow_rules.manage"
    PROMPTS_READ = "prompts.read"
    PROMPTS = "prompts.manage"
    CALENDARS_READ = "calendars.read"
    CALENDARS = "calendars.manage"
    LISTS_READ = "lists.read"
    LISTS = "lists.manage"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_EDIT = "customers.edit"
    CUSTOMERS_PIN = "customers.pin"
    CUSTOMERS_NUMBERS = "customers.numbers"
    CUSTOMERS_DELETE = "customers.delete"
    CUSTOMER_FIELDS = "customers.fields"
    SOURCES_READ = "sources.read"
    SOURCES = "sources.manage"
    MESSAGES_READ = "messages.read"
    MESSAGES_SEND = "messages.send"
    PHONE = "phone.use"
    AGENT = "agent.work"
    AGENTS = "agents.manage"
    FLOOR = "floor.watch"
    FLOOR_ACT = "floor.act"
    QUEUES_READ = "queues.read"
    QUEUES = "queues.manage"
    SUPERVISE = "calls.supervise"


P = Permission
_AGENT = frozenset(
    {
        P.SIGNED_IN,
        P.CALLS_READ,
        P.CALLS_NOTE,
        P.RECORDINGS_OWN,
        P.VOICEMAILS,
        P.TASKS,
        P.WRAP_UP,
        P.CHAT,
        P.CUSTOMERS_READ,
        P.CUSTOMERS_EDIT,
        P.CUSTOMERS_NUMBERS,
        P.MESSAGES_SEND,
        P.PHONE,
        P.AGENT,
    }
)
_QUALITY = frozenset(
    {
        P.SIGNED_IN,
        P.CALLS_READ,
        P.CALLS_NOTE,
        P.RECORDINGS_LISTEN,
        P.RECORDINGS_OWN,
        P.VOICEMAILS,
        P.VOICEMAILS_ALL,
        P.CHAT,
        P.CUSTOMERS_READ,
        P.FLOWS_READ,
    }
)
_SUPERVISOR = (
    _AGENT
    | _QUALITY
    | {
        P.FLOWS_EDIT,
        P.FLOWS_PUBLISH,
        P.NUMBERS_READ,
        P.RECORDINGS_DOWNLOAD,
        P.RECORDINGS_DELETE,
        P.VOICEMAILS_DELETE,
        P.TASKS_ALL,
        P.DISPOSITIONS,
        P.ANNOUNCE,
        P.FLOW_RULES,
        P.CUSTOMERS_DELETE,
        P.CUSTOMER_FIELDS,
        P.PROMPTS_READ,
        P.PROMPTS,
        P.CALENDARS_READ,
        P.CALENDARS,
        P.LISTS_READ,
        P.LISTS,
        P.CUSTOMERS_PIN,
        P.SOURCES_READ,
        P.MESSAGES_READ,
        P.AGENTS,
        P.FLOOR,
        P.FLOOR_ACT,
        P.QUEUES_READ,
        P.QUEUES,
        P.SUPERVISE,
    }
)

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.SUPERVISOR: _SUPERVISOR,
    Role.QUALITY: _QUALITY,
    Role.AGENT: _AGENT,
}

MAINTENANCE = frozenset({P.USERS, P.SYSTEM})
"""Keeping the installation running. Business people's roles never hold these, nor the other way about."""
NEUTRAL = frozenset({P.SIGNED_IN, P.AUDIT})
"""May stand in a role of either sort."""

ROLE_NAMES: Mapping[Role, Text] = {
    Role.ADMIN: text("管理员", "Administrator"),
    Role.SUPERVISOR: text("班长", "Supervisor"),
    Role.QUALITY: text("质检员", "Quality inspector"),
    Role.AGENT: text("坐席", "Agent"),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which business: a signed-in person, the command line or the system itself."""

    business_id: str
    user_id: str | None
    name: str
    permissions: frozenset[Permission]
    address: str = ""
    session_id: str | None = None
    must_change_password: bool = False
    scope: Scope = Scope.ALL
    people: People = None
    """Whose data they see; None is everybody's."""

    def may(self, permission: Permission) -> bool:
        """Whether this actor has a permission. Before a forced change of password, only being signed in counts."""
        if self.must_change_password and permission is not Permission.SIGNED_IN:
            return False
        return permission in self.permissions


def system_actor(business_id: str, name: str = "system") -> Actor:
    """The product itself, or a person at the installation's own command line."""
    return Actor(business_id, None, name, frozenset(Permission))
