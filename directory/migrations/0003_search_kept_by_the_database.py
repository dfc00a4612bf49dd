"""What a search compares is kept by triggers: whoever writes a name or a postcode, the search finds it."""

from django.db import migrations

# The words are those of `directory.models.functions.search_words`, which a test holds them to.
FORWARDS = r"""
CREATE FUNCTION directory_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(ARRAY(
        SELECT DISTINCT left(word, 50) FROM regexp_split_to_table(
            translate(lower(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g')), E'\'\u2019', ''),
            '[\s!-/:-@\[-`{-~]+'
        ) AS word WHERE word <> ''
    ))
$$;
CREATE FUNCTION directory_make_findable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.words := directory_words(
        NEW.name || ' ' || coalesce((SELECT name FROM accounts_organisation WHERE id = NEW.provider_id), '')
    );
    SELECT latitude, longitude INTO NEW.latitude, NEW.longitude FROM directory_postcode
        WHERE code = upper(replace(NEW.postcode, ' ', ''));
    RETURN NEW;
END
$$;
CREATE TRIGGER directory_findable
    BEFORE INSERT OR UPDATE OF name, provider_id, postcode, words, latitude, longitude
    ON directory_healthcareservice FOR EACH ROW EXECUTE FUNCTION directory_make_findable();

CREATE FUNCTION directory_provider_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE directory_healthcareservice SET name = name WHERE provider_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER directory_provider_renamed AFTER UPDATE OF name ON accounts_organisation
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION directory_provider_renamed();

CREATE FUNCTION directory_postcodes_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE directory_healthcareservice AS service SET postcode = service.postcode FROM moved
        WHERE upper(replace(service.postcode, ' ', '')) = moved.code;
    RETURN NULL;
END
$$;
CREATE TRIGGER directory_postcodes_added AFTER INSERT ON directory_postcode REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION directory_postcodes_moved();
CREATE TRIGGER directory_postcodes_changed AFTER UPDATE ON directory_postcode REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION directory_postcodes_moved();

UPDATE directory_healthcareservice SET name = name;
"""
BACKWARDS = """
DROP TRIGGER directory_postcodes_changed ON directory_postcode;
DROP TRIGGER directory_postcodes_added ON directory_postcode;
DROP FUNCTION directory_postcodes_moved();
DROP TRIGGER directory_provider_renamed ON accounts_organisation;
DROP FUNCTION directory_provider_renamed();
DROP TRIGGER directory_findable ON directory_healthcareservice;
DROP FUNCTION directory_make_findable();
DROP FUNCTION directory_words(text);
"""


class Migration(migrations.Migration):
    dependencies = [("directory", "0002_catalogue_and_search"), ("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
