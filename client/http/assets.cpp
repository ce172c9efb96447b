#include "assets.hpp"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <utility>

// Made by client/http/embed.
extern "C" const gravitas::telemetry::http::Asset gravitas_http_assets[];

namespace gravitas::telemetry::http {

namespace {

const char *content_type_of(std::string_view name)
{
    static constexpr std::pair<std::string_view, const char *> types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
    };
    for (const auto &[ending, type] : types) {
        if (name.ends_with(ending))
            return type;
    }
    return "application/octet-stream";
}

// Of what is in it (FNV-1a); weak, since it may be compressed on its way.
std::string etag_of(const Asset &asset)
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char *byte = asset.begin; byte != asset.end; ++byte)
        hash = (hash ^ static_cast<unsigned char>(*byte)) * 0x100000001b3;
    char text[24];
    std::snprintf(text, sizeof text, "W/\"%016" PRIx64 "\"", hash);
    return text;
}

} // namespace

const Asset *find_asset(std::string_view name)
{
    for (const Asset *asset = gravitas_http_assets; asset->name != nullptr; ++asset) {
        if (name == asset->name)
            return asset;
    }
    return nullptr;
}

Answer answer_asset(const Asset &asset, const httplib::Request &request)
{
    const std::string etag = etag_of(asset);
    if (request.get_header_value("If-None-Match").find(etag) != std::string::npos)
        return {304, {}, {}, {{"ETag", etag}, {"Cache-Control", "no-cache"}}};
    return {200, std::string(asset.begin, asset.end), content_type_of(asset.name), {{"ETag", etag}}};
}

} // namespace gravitas::telemetry::http
