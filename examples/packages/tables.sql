-- The stage and final table of the package index, in Amazon Redshift's dialect. Safe to run again.

CREATE SCHEMA IF NOT EXISTS stage;

CREATE TABLE IF NOT EXISTS stage.packages (
    package varchar(128) NOT NULL,
    version varchar(128) NOT NULL,
    architecture varchar(32) NOT NULL,
    source varchar(192),
    section varchar(64),
    priority varchar(32),
    essential boolean,
    maintainer varchar(512),
    homepage varchar(1024),
    installed_size_kb bigint,
    size_bytes bigint,
    depends varchar(65535),
    description varchar(65535),
    tags varchar(8192),
    filename varchar(512),
    sha256 char(64),
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL
)
DISTKEY (package)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.packages (
    package varchar(128) NOT NULL,
    version varchar(128) NOT NULL,
    architecture varchar(32) NOT NULL,
    source varchar(192),
    section varchar(64),
    priority varchar(32),
    essential boolean,
    maintainer varchar(512),
    homepage varchar(1024),
    installed_size_kb bigint,
    size_bytes bigint,
    depends varchar(65535),
    description varchar(65535),
    tags varchar(8192),
    filename varchar(512),
    sha256 char(64),
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL,
    merged_at timestamp NOT NULL,
    PRIMARY KEY (package, version, architecture)
)
DISTKEY (package)
COMPOUND SORTKEY (package, version);
