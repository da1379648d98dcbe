-- Adds the staged packages that public.packages does not have yet. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here.
--
-- A package's version never changes, so a key that is there already stays as it is, and of several staged rows of one
-- key the first one loaded is taken. Only the loads that are staged when the merge begins are taken and deleted.

CREATE TEMP TABLE merge_packages_taken AS
SELECT DISTINCT source_file, loaded_at
FROM stage.packages;

CREATE TEMP TABLE merge_packages_first AS
SELECT *
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.package, staged.version, staged.architecture
            ORDER BY staged.loaded_at, staged.source_file, staged.source_row
        ) AS arrival
    FROM stage.packages AS staged
    INNER JOIN merge_packages_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS numbered
WHERE arrival = 1;

DELETE FROM merge_packages_first
USING public.packages
WHERE merge_packages_first.package = packages.package
    AND merge_packages_first.version = packages.version
    AND merge_packages_first.architecture = packages.architecture;

INSERT INTO public.packages (
    package,
    version,
    architecture,
    source,
    section,
    priority,
    essential,
    maintainer,
    homepage,
    installed_size_kb,
    size_bytes,
    depends,
    description,
    tags,
    filename,
    sha256,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
SELECT
    package,
    version,
    architecture,
    source,
    section,
    priority,
    essential,
    maintainer,
    homepage,
    installed_size_kb,
    size_bytes,
    depends,
    description,
    tags,
    filename,
    sha256,
    source_file,
    source_row,
    loaded_at,
    SYSDATE
FROM merge_packages_first;

DELETE FROM stage.packages
USING merge_packages_taken
WHERE packages.source_file = merge_packages_taken.source_file
    AND packages.loaded_at = merge_packages_taken.loaded_at;

DROP TABLE merge_packages_first;

DROP TABLE merge_packages_taken;
