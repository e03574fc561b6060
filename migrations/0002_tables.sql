-- Tables. Every row that holds anything of a candidate carries its tenant, for row-level security.
-- Times are the database's clock. Hashes are SHA-256 in lower-case hexadecimal.
set local role hirenet_owner;

create table hirenet.schema_version (version int not null);
insert into hirenet.schema_version values (0);

create table hirenet.tenants (
    tenant text primary key check (char_length(tenant) <= 200),
    created_at timestamptz not null default now()
);

create table hirenet.positions (
    tenant text not null references hirenet.tenants,
    position_id text not null check (char_length(position_id) <= 200),
    title text not null,
    primary key (tenant, position_id)
);

create table hirenet.interviews (
    interview uuid primary key default gen_random_uuid(),
    tenant text not null references hirenet.tenants,
    interview_id text not null check (char_length(interview_id) <= 200),
    position_id text,
    candidate text check (char_length(candidate) <= 200),
    language text,
    consent jsonb,
    -- What may be computed now: consent and policy at admission, less what was withdrawn since.
    modalities text[] not null,
    reasons jsonb not null default '[]',
    retention_days int,
    priority text not null check (priority in ('interactive', 'bulk')),
    status text not null check (status in ('queued', 'working', 'scored', 'partial', 'refused', 'failed', 'erased')),
    legal_hold boolean not null default false,
    received_at timestamptz not null default now(),
    final_at timestamptz,
    changed_at timestamptz not null default now(),
    unique (tenant, interview_id),
    foreign key (tenant, position_id) references hirenet.positions,
    -- An erased interview keeps ids and times, and nothing else (invariant 6).
    constraint erased_is_empty check (
        case when status = 'erased'
            then position_id is null and candidate is null and language is null and consent is null and reasons = '[]'
            else position_id is not null and candidate is not null and consent is not null and retention_days is not null
        end)
);
-- The two indexes that carry `interview_results`: of a position they give all that is ranked, without the rows themselves.
create index interviews_by_position on hirenet.interviews (tenant, position_id)
    include (interview, interview_id, candidate, status, received_at, final_at, changed_at);
create index interviews_by_candidate on hirenet.interviews (tenant, candidate);
create index interviews_by_age on hirenet.interviews (received_at);

create table hirenet.answers (
    interview uuid not null references hirenet.interviews,
    answer int not null,
    tenant text not null,
    answer_id text not null,
    question text not null,
    media text not null,
    sha256 text,
    take int,
    given_transcript jsonb,
    -- 'waiting' until its job ends; 'failed' where the job was buried.
    state text not null default 'waiting' check (state in ('waiting', 'extracted', 'failed')),
    duration_s float8,
    media_sha256 text,
    reasons jsonb not null default '[]',
    timings jsonb not null default '{}',
    models jsonb not null default '{}',
    primary key (interview, answer),
    unique (interview, answer_id)
);

create table hirenet.transcripts (
    interview uuid not null,
    answer int not null,
    tenant text not null,
    language text,
    source text not null check (source in ('recognised', 'given')),
    -- Median of the recogniser's word probabilities; null for a human transcript.
    confidence float4,
    words jsonb not null,
    text text not null,
    -- 'simple' folds case only: candidates speak many languages.
    search tsvector not null generated always as (to_tsvector('simple', text)) stored,
    sha256 text not null,
    created_at timestamptz not null default now(),
    primary key (interview, answer),
    foreign key (interview, answer) references hirenet.answers
);
create index transcripts_search on hirenet.transcripts using gin (search);

create table hirenet.tracks (
    interview uuid not null,
    answer int not null,
    modality text not null check (modality in ('verbal', 'vocal', 'visual')),
    tenant text not null,
    schema_id text not null,
    rows int not null check (rows >= 0),
    valid_rows int not null check (valid_rows between 0 and rows),
    -- safetensors compressed by zstd: Postgres need not try again.
    bytes bytea not null,
    sha256 text not null,
    created_at timestamptz not null default now(),
    primary key (interview, answer, modality),
    foreign key (interview, answer) references hirenet.answers
);
alter table hirenet.tracks alter column bytes set storage external;

create table hirenet.bundles (
    sha256 text primary key,
    name text not null,
    version text not null,
    kind text not null check (kind in ('untrained', 'demo', 'trained')),
    card jsonb not null,
    -- The modalities that the bundle asks for.
    modalities text[] not null,
    graph bytea not null,
    active boolean not null default false,
    registered_at timestamptz not null default now()
);
alter table hirenet.bundles alter column graph set storage external;
create unique index bundles_one_active on hirenet.bundles (active) where active;

create table hirenet.assessments (
    assessment bigint generated always as identity primary key,
    tenant text not null,
    interview uuid not null references hirenet.interviews,
    position_id text not null,
    bundle text not null references hirenet.bundles,
    status text not null check (status in ('scored', 'partial', 'refused')),
    score float8 check (score between 0 and 1),
    score_low float8,
    score_high float8,
    verbal_score float8 check (verbal_score between 0 and 1),
    vocal_score float8 check (vocal_score between 0 and 1),
    visual_score float8 check (visual_score between 0 and 1),
    -- Share of answer and modality pairs that the bundle asks for and that have a valid row.
    completeness float8 not null check (completeness between 0 and 1),
    -- Counts in rank and percentile: has a score, and the words were not heard with low confidence.
    ranked boolean not null,
    reasons jsonb not null,
    top_spans jsonb not null,
    software text not null,
    settings_sha256 text not null,
    input_sha256 text not null,
    result_sha256 text not null,
    -- The whole assessment without transcripts: JSON compressed by zstd.
    document bytea not null,
    assessed_at timestamptz not null default now(),
    -- Set when a later assessment under the same bundle, of other evidence, takes its place.
    superseded_at timestamptz,
    -- A score or nothing: NaN is refused, because it lies outside 0..1 in Postgres' order (invariant 7).
    constraint refused_has_no_score check ((status = 'refused') = (score is null))
);
alter table hirenet.assessments alter column document set storage external;
-- What ranking reads stays in the row, what one reader of a page reads goes out of line: a position is a narrow scan.
alter table hirenet.assessments set (toast_tuple_target = 256);
create unique index assessments_current on hirenet.assessments (interview, bundle) where superseded_at is null;
create index assessments_of_position on hirenet.assessments (tenant, position_id, bundle, ranked, score desc)
    include (assessment, interview, status, score_low, score_high, verbal_score, vocal_score, visual_score, completeness,
        assessed_at, superseded_at)
    where superseded_at is null;

create table hirenet.spans (
    assessment bigint not null references hirenet.assessments on delete cascade,
    ordinal int not null,
    tenant text not null,
    answer_id text not null,
    modality text not null check (modality in ('verbal', 'vocal', 'visual')),
    start_s float8,
    end_s float8,
    word_first int,
    word_last int,
    weight float4 not null,
    influence float4 not null,
    words text not null,
    primary key (assessment, ordinal)
);

create table hirenet.submissions (
    tenant text not null,
    job_id uuid not null,
    request text not null check (request in ('submitted', 'erase', 'withdrawn', 'replayed', 'retention')),
    interview uuid references hirenet.interviews,
    interview_id text,
    content_sha256 text not null,
    state text not null default 'open' check (state in ('open', 'scored', 'partial', 'refused', 'failed', 'erased')),
    -- The event that told of the end: written with it, once (invariant 1).
    event uuid unique,
    code text,
    replays int not null default 0,
    conflicts int not null default 0,
    received_at timestamptz not null default now(),
    final_at timestamptz,
    primary key (tenant, job_id),
    constraint one_event_at_the_end check ((state = 'open') = (event is null) and (state = 'open') = (final_at is null))
);
create index submissions_of_interview on hirenet.submissions (interview);
create index submissions_open on hirenet.submissions (received_at) where state = 'open';

create table hirenet.jobs (
    job uuid primary key default gen_random_uuid(),
    tenant text not null,
    interview uuid not null references hirenet.interviews,
    interview_id text not null,
    stage text not null check (stage in ('extract', 'score')),
    answer int,
    -- Score under this bundle, for a reader to come: no submission ends with it. Null: under the active one.
    bundle text references hirenet.bundles,
    priority text not null check (priority in ('interactive', 'bulk')),
    state text not null default 'ready' check (state in ('ready', 'running', 'done', 'failed', 'erased')),
    -- Grows with each claim; a write under an older number is refused.
    fence bigint not null default 0,
    worker uuid,
    lease_until timestamptz,
    attempts int not null default 0,
    failures int not null default 0,
    deaths int not null default 0,
    alone_deaths int not null default 0,
    code text,
    detail text,
    trace text,
    created_at timestamptz not null default now(),
    moved_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint lease_while_running check ((state = 'running') = (lease_until is not null)),
    constraint answer_of_extract check ((stage = 'extract') = (answer is not null))
);
create index jobs_of_interview on hirenet.jobs (interview);
create index jobs_open on hirenet.jobs (moved_at) where state in ('ready', 'running');
create index jobs_dead on hirenet.jobs (ended_at desc) where state = 'failed';

create table hirenet.attempts (
    job uuid not null references hirenet.jobs,
    attempt int not null,
    tenant text not null,
    fence bigint not null,
    worker uuid not null,
    alone boolean not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text not null default 'running'
        check (outcome in ('running', 'done', 'retried', 'buried', 'handed_back', 'died', 'erased')),
    code text,
    detail text,
    timings jsonb,
    primary key (job, attempt)
);

create table hirenet.outbox (
    seq bigint generated always as identity primary key,
    id uuid not null default gen_random_uuid(),
    -- Rows of one key are published in the order of `seq`: the interview, or a submission without one.
    key uuid not null,
    interview uuid,
    destination text not null check (destination in ('stage', 'wait', 'event', 'dead')),
    routing_key text not null,
    delay_s int not null default 0 check (delay_s >= 0),
    kind text not null,
    payload json not null,
    trace text,
    created_at timestamptz not null default now()
);
create index outbox_in_order on hirenet.outbox (key, seq);

create table hirenet.erasures (
    erasure uuid primary key default gen_random_uuid(),
    tenant text not null,
    job_id uuid not null,
    cause text not null check (cause in ('request', 'retention')),
    interview_id text,
    -- Of tenant and pseudonym: recognises a late delivery, and tells nothing.
    candidate_sha256 text,
    requested_at timestamptz not null default now(),
    -- 820 ILCS 42/15: thirty days, holders of copies and backups included.
    deadline timestamptz not null default now() + interval '30 days',
    done_at timestamptz,
    interviews uuid[] not null default '{}',
    removed jsonb not null default '{}',
    constraint one_target check ((interview_id is null) <> (candidate_sha256 is null))
);
create index erasures_of_interview on hirenet.erasures (tenant, interview_id);
create index erasures_of_candidate on hirenet.erasures (tenant, candidate_sha256);

-- Consent taken back. Kept for interviews that are still on their way.
create table hirenet.withdrawals (
    tenant text not null,
    job_id uuid not null,
    interview_id text not null,
    modalities text[] not null,
    withdrawn_at timestamptz not null default now(),
    primary key (tenant, job_id)
);
create index withdrawals_of_interview on hirenet.withdrawals (tenant, interview_id);

-- Who did what, when, from which input to which result: ids, hashes, versions, times and counts.
create table hirenet.audit (
    seq bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null default session_user,
    action text not null,
    tenant text,
    interview uuid,
    job uuid,
    content_sha256 text,
    input_sha256 text,
    bundle text,
    settings_sha256 text,
    result_sha256 text,
    software text,
    code text,
    counts jsonb
);
create index audit_of_interview on hirenet.audit (interview);

create table hirenet.workers (
    worker uuid primary key,
    host text not null,
    version text not null,
    stages text[] not null,
    slots int not null,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    stopped_at timestamptz
);

create table hirenet.recruiter_logins (
    login name primary key,
    tenant text not null references hirenet.tenants
);

create table hirenet.reviews (
    interview uuid primary key references hirenet.interviews,
    tenant text not null,
    reviewed_by text not null,
    reviewed_at timestamptz not null default now(),
    -- A person's own view of the candidate where it differs from the score, in that person's words.
    override text
);

create table hirenet.recruiter_decisions (
    tenant text not null references hirenet.tenants,
    interview_id text not null,
    selected boolean not null,
    decided_at timestamptz not null default now(),
    primary key (tenant, interview_id)
);

-- For the bias views only. No worker can read it: nothing of it can become an input of a model.
create table hirenet.demographics (
    tenant text not null references hirenet.tenants,
    interview_id text not null,
    sex text,
    race_ethnicity text,
    primary key (tenant, interview_id)
);

reset role;
