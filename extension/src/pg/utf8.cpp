#include "pg/utf8.hpp"

#include "core/error.hpp"

extern "C" {
#include "catalog/namespace.h"
}

namespace gravitas::telemetry::pg {

namespace {

bool is_utf8(std::string_view text) noexcept
{
    return pg_verify_mbstr(PG_UTF8, text.data(), static_cast<int>(text.size()), true);
}

// Through the conversion of the database's encoding; nullptr where a character has no place in it.
text *converted(std::string_view utf8)
{
    const Oid conversion = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
    if (!OidIsValid(conversion))
        return nullptr;
    const std::size_t room = utf8.size() * MAX_CONVERSION_GROWTH + 1;
    char *const result = static_cast<char *>(palloc_extended(room, MCXT_ALLOC_HUGE));
    const int done = pg_do_encoding_conversion_buf(
        conversion, PG_UTF8, GetDatabaseEncoding(), reinterpret_cast<unsigned char *>(const_cast<char *>(utf8.data())),
        static_cast<int>(utf8.size()), reinterpret_cast<unsigned char *>(result), static_cast<int>(Min(room, INT_MAX)),
        true);
    text *const whole = done < static_cast<int>(utf8.size()) ? nullptr : cstring_to_text(result);
    pfree(result);
    return whole;
}

} // namespace

text *text_from_utf8(std::string_view utf8)
{
    if (!is_utf8(utf8))
        return nullptr;
    const int encoding = GetDatabaseEncoding();
    if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || utf8.empty())
        return cstring_to_text_with_len(utf8.data(), static_cast<int>(utf8.size()));
    return converted(utf8);
}

Jsonb *jsonb_from_utf8(std::string_view utf8)
{
    text *const json = text_from_utf8(utf8);
    if (json == nullptr)
        refuse_text(utf8, "metadata");
    return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(json))));
}

void refuse_text(std::string_view utf8, const char *column)
{
    if (!is_utf8(utf8))
        throw core::Error("22021", std::string(column) + " is not valid UTF-8");
    throw core::Error("22P05", std::string(column) + " has a character that the database's encoding \"" +
                                   GetDatabaseEncodingName() + "\" lacks");
}

} // namespace gravitas::telemetry::pg
