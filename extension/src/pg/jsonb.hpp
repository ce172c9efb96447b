// JSON objects: looking one key up, building a new object. Everything here may ereport and holds no destructor.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

struct JsonField {
    std::string_view key;
    JsonbValue value;
};

inline bool is_object(Jsonb *json) noexcept { return JB_ROOT_IS_OBJECT(json); }

const char *type_name(Jsonb *json); // array, string, number, boolean, null, object

// The value of a top-level key; nullptr where the object has no such key. The result is palloc'd.
JsonbValue *find(Jsonb *object, std::string_view key);

// A JSON number as a double; empty for anything else, also for a number too large for a double.
std::optional<double> number_of(const JsonbValue *value);

// Equal numbers, strings or nulls. Never true for arrays and objects.
bool equal_scalars(const JsonbValue &left, const JsonbValue &right);

JsonbValue json_string(std::string_view text) noexcept;
JsonbValue json_number(std::optional<double> number); // shortest decimal that reads back the same; null where absent
                                                      // or not finite

// Calls visit(JsonField) for each top-level field of `object`, values as they are.
template <typename Visit>
void for_each_field(Jsonb *object, Visit visit)
{
    JsonbIterator *iterator = JsonbIteratorInit(&object->root);
    JsonbValue item;
    JsonField field = {};
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE;) {
        if (token == WJB_KEY)
            field.key = {item.val.string.val, static_cast<std::size_t>(item.val.string.len)};
        else if (token == WJB_VALUE) {
            field.value = item;
            visit(field);
        }
    }
}

// What the builders below push values onto.
class JsonBuilder {
protected:
    JsonbValue *push(JsonbIteratorToken token, JsonbValue *value);
    Jsonb *finish(JsonbIteratorToken end);

private:
#if PG_VERSION_NUM >= 190000
    JsonbInState state_ = {};
#else
    JsonbParseState *state_ = nullptr;
#endif
};

// Builds an object field by field; of fields with the same key the last one wins.
class ObjectBuilder : private JsonBuilder {
public:
    ObjectBuilder() { push(WJB_BEGIN_OBJECT, nullptr); }
    void add(const JsonField &field);
    Jsonb *finish() { return JsonBuilder::finish(WJB_END_OBJECT); }
};

// Builds an array element by element.
class ArrayBuilder : private JsonBuilder {
public:
    ArrayBuilder() { push(WJB_BEGIN_ARRAY, nullptr); }
    void add(Jsonb *element);
    Jsonb *finish() { return JsonBuilder::finish(WJB_END_ARRAY); }
};

} // namespace gravitas::telemetry::pg
