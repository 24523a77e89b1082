"""Tasks over the API."""

from collections.abc import AsyncIterator
from datetime import datetime

import strawberry

from backend.calls.graphql import CallType
from backend.customers.graphql import CustomerType
from backend.customers.masking import home_of, shown
from backend.database import new_id, utcnow
from backend.errors import DomainError
from backend.events import Event
from backend.graphql.base import Connection, FromRow, Info, Words, connection, mutation, query, subscription
from backend.identity.permissions import Permission
from backend.tasks import service
from backend.tasks.models import Task
from backend.voicemails.graphql import VoicemailType


@strawberry.type(name="PersonRef", description="Somebody of the house.")
class PersonType:
    id: str
    name: str


@strawberry.type(name="Task", description="Something that a person has to do.")
class TaskType(FromRow):
    id: str
    kind: str = strawberry.field(description="callback, voicemail, missed, planned or work.")
    title: str
    note: str
    state: str = strawberry.field(description="open, taken, done, given_up, expired or cancelled.")
    priority: int = strawberry.field(description="1 (least) to 9 (most).")
    due_at: datetime
    remind_at: datetime | None
    expires_at: datetime | None
    team: str
    queue: str
    customer_id: str | None
    call_id: str | None
    voicemail_id: str | None
    attempts: int
    last_attempt_at: datetime | None
    result: str
    result_note: str
    origin: str = strawberry.field(description="person, flow, rule or wrap_up.")
    run_id: str | None
    created_at: datetime
    updated_at: datetime
    taken_at: datetime | None
    done_at: datetime | None
    row: strawberry.Private[Task]

    @classmethod
    def of(cls, row: Task) -> "TaskType":
        names = [name for name in cls.__annotations__ if name != "row"]
        return cls(row=row, **{name: getattr(row, name) for name in names})

    @query(Permission.TASKS, "Whom to call; masked for people who may not see numbers.")
    async def number(self, info: Info) -> str:
        return shown(info, self.row.number)

    @query(Permission.TASKS, "Where the number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self.row.number)

    @query(Permission.TASKS, "Whose it is; nobody's tasks are for everybody of the queue or team.")
    async def assignee(self, info: Info) -> PersonType | None:
        return await person(info, self.row.assignee)

    @query(Permission.TASKS, "Who ended it.")
    async def done_by(self, info: Info) -> PersonType | None:
        return await person(info, self.row.done_by)

    @query(Permission.TASKS, "Whether it is open and its time has passed.")
    async def overdue(self, info: Info) -> bool:
        return self.state in ("open", "taken") and self.due_at < utcnow()

    @query(Permission.CUSTOMERS_READ, "Whom it is about.")
    async def customer(self, info: Info) -> CustomerType | None:
        return CustomerType.maybe(await info.context.customers.load(self.customer_id)) if self.customer_id else None

    @query(Permission.CALLS_READ, "The call it came from.")
    async def call(self, info: Info) -> CallType | None:
        return CallType.maybe(await info.context.calls.load(self.call_id)) if self.call_id else None

    @query(Permission.VOICEMAILS, "The message it is about.")
    async def voicemail(self, info: Info) -> VoicemailType | None:
        return VoicemailType.maybe(await info.context.voicemails.load(self.voicemail_id)) if self.voicemail_id else None


async def person(info: Info, id: str | None) -> PersonType | None:
    """A user by id, for screens."""
    if id is None:
        return None
    user = await info.context.users.load(id)
    return PersonType(id=id, name=(user.display_name or user.name) if user is not None else "")


@strawberry.type(name="TaskCount")
class TaskCount:
    kind: str
    count: int


@strawberry.type(name="TaskBoard", description="The counters of a day.")
class TaskBoardType:
    begins: datetime
    ends: datetime
    done: int
    left: int = strawberry.field(description="Open and due by the end of the day, the overdue among them.")
    overdue: int
    tomorrow: int
    left_by_kind: list[TaskCount]


@strawberry.type(name="TaskEvent", description="A task was changed; task is null when it is not the reader's any more.")
class TaskEvent:
    what: str = strawberry.field(
        description="created, taken, put_back, done, given_up, cancelled, expired, postponed, handed_on, attempted, "
        "changed, or due: a reminder."
    )
    task_id: str
    task: TaskType | None
    at: datetime


@strawberry.input
class TaskFilterInput:
    """What to list. Without mine, with the right to all tasks, everybody's."""

    mine: bool = True
    states: list[str] = strawberry.field(default_factory=lambda: ["open", "taken"])
    kinds: list[str] = strawberry.field(default_factory=list)
    assignee: str | None = None
    queue: str | None = None
    team: str | None = None
    customer_id: str | None = None
    call_id: str | None = None
    due_from: datetime | None = None
    due_until: datetime | None = None
    search: str = ""


@strawberry.input
class TaskInput:
    """A new task. key makes a repeated request harmless."""

    kind: str = "work"
    title: str = ""
    note: str = ""
    priority: int = 5
    due_at: datetime | None = None
    remind_minutes: int | None = 0
    assignee: str | None = None
    team: str = ""
    queue: str = ""
    customer_id: str | None = None
    call_id: str | None = None
    voicemail_id: str | None = None
    number: str = ""
    key: str = ""


@strawberry.type
class TasksQuery:
    @query(Permission.TASKS, "Tasks, what is due first; with newest the last made first.")
    async def tasks(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        filter: TaskFilterInput | None = None,
        newest: bool = False,
    ) -> Connection[TaskType]:
        wanted = service.TaskFilter(**vars(filter)) if filter is not None else service.TaskFilter()
        found = await service.list_tasks(
            info.context.state.db, info.context.actor, wanted, newest=newest, first=first, after=after
        )
        return connection(found, TaskType)

    @query(Permission.TASKS, "One task.")
    async def task(self, info: Info, id: str) -> TaskType:
        return TaskType.of(await service.get_task(info.context.state.db, info.context.actor, id))

    @query(Permission.TASKS, "Done and left today, overdue, tomorrow; of somebody else with the right to all tasks.")
    async def task_board(self, info: Info, user_id: str | None = None) -> TaskBoardType:
        found = await service.board(info.context.state.db, info.context.actor, user_id=user_id)
        return TaskBoardType(
            begins=found.begins,
            ends=found.ends,
            done=found.done,
            left=found.left,
            overdue=found.overdue,
            tomorrow=found.tomorrow,
            left_by_kind=[TaskCount(kind=kind, count=n) for kind, n in sorted(found.left_by_kind.items())],
        )


@strawberry.type
class TasksMutation:
    @mutation(Permission.TASKS, "Make a task: for oneself, a queue or a team; supervisors for anybody.")
    async def create_task(self, info: Info, input: TaskInput) -> TaskType:
        given = vars(input) | {"key": f"person-{input.key or new_id()}"}
        made = await service.create_task(info.context.state.db, info.context.actor, service.NewTask(**given))
        return TaskType.of(made)

    @mutation(Permission.TASKS, "Begin with a task; of two who do so at once one gets it.")
    async def take_task(self, info: Info, id: str) -> TaskType:
        return TaskType.of(await service.take(info.context.state.db, info.context.actor, id))

    @mutation(Permission.TASKS, "Leave a taken task to others again.")
    async def put_back_task(self, info: Info, id: str) -> TaskType:
        return TaskType.of(await service.put_back(info.context.state.db, info.context.actor, id))

    @mutation(Permission.TASKS, "It is done.")
    async def complete_task(self, info: Info, id: str, result: str = "", note: str = "") -> TaskType:
        done = await service.finish(
            info.context.state.db, info.context.actor, id, state="done", result=result, words=note
        )
        return TaskType.of(done)

    @mutation(Permission.TASKS, "It cannot be done.")
    async def give_up_task(self, info: Info, id: str, result: str = "", note: str = "") -> TaskType:
        done = await service.finish(
            info.context.state.db, info.context.actor, id, state="given_up", result=result, words=note
        )
        return TaskType.of(done)

    @mutation(Permission.TASKS_ALL, "It need not be done any more.")
    async def cancel_task(self, info: Info, id: str, note: str = "") -> TaskType:
        done = await service.finish(info.context.state.db, info.context.actor, id, state="cancelled", words=note)
        return TaskType.of(done)

    @mutation(Permission.TASKS, "Do it later; attempt counts a try that reached nobody.")
    async def postpone_task(
        self,
        info: Info,
        id: str,
        until: datetime,
        note: str = "",
        attempt: bool = False,
        remind_minutes: int = 0,
    ) -> TaskType:
        later = await service.postpone(
            info.context.state.db,
            info.context.actor,
            id,
            until,
            words=note,
            attempt=attempt,
            remind_minutes=remind_minutes,
        )
        return TaskType.of(later)

    @mutation(Permission.TASKS, "Give it to an agent, a team or a queue.")
    async def hand_on_task(
        self, info: Info, id: str, assignee: str | None = None, team: str = "", queue: str = "", note: str = ""
    ) -> TaskType:
        given = await service.hand_on(
            info.context.state.db, info.context.actor, id, assignee=assignee, team=team, queue=queue, words=note
        )
        return TaskType.of(given)

    @mutation(Permission.TASKS, "Count a try that reached nobody.")
    async def count_task_attempt(self, info: Info, id: str, note: str = "") -> TaskType:
        return TaskType.of(await service.attempted(info.context.state.db, info.context.actor, id, note))

    @mutation(Permission.TASKS, "Change its words or priority.")
    async def change_task(
        self, info: Info, id: str, title: str | None = None, note: str | None = None, priority: int | None = None
    ) -> TaskType:
        changed = await service.change(
            info.context.state.db, info.context.actor, id, title=title, words=note, priority=priority
        )
        return TaskType.of(changed)


@strawberry.type
class TasksSubscription:
    @subscription(Permission.TASKS)
    async def task_events(self, info: Info, all: bool = False) -> AsyncIterator[TaskEvent]:
        """Changes and reminders of the reader's own and common tasks; with all and the right to it, of everybody's."""
        state, actor = info.context.state, info.context.actor
        everything = all and actor.may(Permission.TASKS_ALL)

        def wanted(event: Event) -> bool:
            return event.topic == "task.changed" and event.business_id == actor.business_id

        with state.bus.subscribe(wanted) as events:
            async for event in events:
                owner = event.data.get("assignee", "")
                lost = False
                try:
                    row = await service.get_task(state.db, actor, event.subject)
                except DomainError:
                    row, lost = None, True
                if not everything and owner and owner != actor.user_id:
                    # Somebody took it: it leaves the reader's list, and that is all they are told.
                    if event.data.get("what") not in ("taken", "handed_on"):
                        continue
                    lost = True
                yield TaskEvent(
                    what=str(event.data.get("what", "")),
                    task_id=event.subject,
                    task=None if lost or row is None else TaskType.of(row),
                    at=event.at,
                )
