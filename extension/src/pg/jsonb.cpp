#include "pg/jsonb.hpp"

#include <cmath>

namespace gravitas::telemetry::pg {

const char *type_name(Jsonb *json)
{
    if (JB_ROOT_IS_OBJECT(json))
        return "object";
    if (!JB_ROOT_IS_SCALAR(json))
        return "array";
    // A scalar is stored as an array of one element that is marked so.
    return JsonbTypeName(getIthJsonbValueFromContainer(&json->root, 0));
}

JsonbValue *find(Jsonb *object, std::string_view key)
{
    return getKeyJsonValueFromContainer(&object->root, key.data(), static_cast<int>(key.size()), nullptr);
}

std::optional<double> number_of(const JsonbValue *value)
{
    if (value == nullptr || value->type != jbvNumeric)
        return std::nullopt;
    const double number =
        DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool equal_scalars(const JsonbValue &left, const JsonbValue &right)
{
    if (left.type != right.type)
        return false;
    switch (left.type) {
    case jbvNull:
        return true;
    case jbvNumeric:
        return DatumGetBool(
            DirectFunctionCall2(numeric_eq, NumericGetDatum(left.val.numeric), NumericGetDatum(right.val.numeric)));
    case jbvString:
        return std::string_view(left.val.string.val, left.val.string.len) ==
               std::string_view(right.val.string.val, right.val.string.len);
    default:
        return false;
    }
}

JsonbValue json_string(std::string_view text) noexcept
{
    JsonbValue value;
    value.type = jbvString;
    value.val.string.len = static_cast<int>(text.size());
    value.val.string.val = const_cast<char *>(text.data());
    return value;
}

JsonbValue json_number(std::optional<double> number)
{
    JsonbValue value;
    value.type = jbvNull;
    if (number && std::isfinite(*number)) {
        // Through the shortest text that reads back the same: float8 → numeric would keep 15 digits only, and float8out
        // does what extra_float_digits says.
        char text[DOUBLE_SHORTEST_DECIMAL_LEN];
        double_to_shortest_decimal_buf(*number, text);
        value.type = jbvNumeric;
        value.val.numeric = DatumGetNumeric(
            DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
    }
    return value;
}

JsonbValue *JsonBuilder::push(JsonbIteratorToken token, JsonbValue *value)
{
#if PG_VERSION_NUM >= 190000
    pushJsonbValue(&state_, token, value);
    return state_.result;
#else
    return pushJsonbValue(&state_, token, value);
#endif
}

Jsonb *JsonBuilder::finish(JsonbIteratorToken end) { return JsonbValueToJsonb(push(end, nullptr)); }

void ObjectBuilder::add(const JsonField &field)
{
    JsonbValue key = json_string(field.key);
    JsonbValue value = field.value;
    push(WJB_KEY, &key);
    push(WJB_VALUE, &value);
}

void ArrayBuilder::add(Jsonb *element)
{
    JsonbValue value;
    JsonbToJsonbValue(element, &value);
    push(WJB_ELEM, &value);
}

} // namespace gravitas::telemetry::pg
