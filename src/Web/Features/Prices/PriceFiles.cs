using System.Globalization;
using System.Text;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Auth;

namespace Dashboard.Web.Features.Prices;

/// <summary>The chart's view as a file. Prices are exact dollars per GPU-hour without disk, times are UTC; empty where no poll told.</summary>
public static class PriceFiles
{
    private static readonly string[] Columns = ["at", "market", "gpu", "vram_gb", "gpus", "rental", "verified_only", "kind", "min", "fifth", "p10", "p25", "median", "p75", "p90", "offers", "offers_at_least"];

    public static void MapPriceDownloads(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/t/{team}/prices.csv", (string team, HttpContext http, TeamAuthorization teams, PriceQueries prices) => WithAsync(team, http, teams, prices, Csv)).RequireAuthorization().ExcludeFromDescription();
        endpoints.MapGet("/t/{team}/prices.json", (string team, HttpContext http, TeamAuthorization teams, PriceQueries prices) => WithAsync(team, http, teams, prices, Json)).RequireAuthorization().ExcludeFromDescription();
    }

    private static async Task<IResult> WithAsync(string team, HttpContext http, TeamAuthorization teams, PriceQueries prices, Func<IEnumerable<Row>, string, IResult> file)
    {
        if (await teams.ForAsync(http.User, team, http.RequestAborted) is not { } context)
        {
            return Results.NotFound();
        }

        string? Asked(string name) => http.Request.Query[name] is { Count: > 0 } values ? values[0] : null;
        var question = PricesQuestion.Read(Asked("gpu"), Asked("count"), Asked("type"), Asked("range"), Asked("market"));
        var lines = await prices.ExportAsync(context, question, http.RequestAborted);
        return file(
            lines.SelectMany(line => line.Moments.Select(m => new Row(
                m.At.UtcDateTime, line.Series.Market.Name, line.Series.GpuName, line.Series.VramGb, line.Series.GpuCount, line.Series.Rental.ToString(), line.Series.VerifiedOnly, m.Kind?.ToString() ?? question.Range.Grain.ToString(),
                Usd(m.Min), Usd(m.Fifth), Usd(m.P10), Usd(m.P25), Usd(m.Median), Usd(m.P75), Usd(m.P90), m.Count, m.AtLeast))),
            $"prices-{context.Slug}-{question.Range.Word}");
    }

    private static IResult Json(IEnumerable<Row> rows, string name) => Results.Json(rows);

    private static IResult Csv(IEnumerable<Row> rows, string name) => Results.Stream(
        async body =>
        {
            await using var text = new StreamWriter(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
            await text.WriteLineAsync(string.Join(',', Columns));
            foreach (var r in rows)
            {
                await text.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{r.At:yyyy-MM-dd'T'HH:mm:ss'Z'},{r.Market},{r.Gpu},{r.VramGb},{r.Gpus},{r.Rental},{(r.VerifiedOnly ? "true" : "false")},{r.Kind},{r.Min:0.000000},{r.Fifth:0.000000},{r.P10:0.000000},{r.P25:0.000000},{r.Median:0.000000},{r.P75:0.000000},{r.P90:0.000000},{r.Offers},{(r.OffersAtLeast ? "true" : "false")}"));
            }
        },
        "text/csv; charset=utf-8", name + ".csv");

    private static decimal? Usd(long? micros) => micros is { } value ? new HourlyRate(value).Usd : null;

    private sealed record Row(
        DateTime At, string Market, string Gpu, int VramGb, int Gpus, string Rental, bool VerifiedOnly, string Kind, decimal? Min, decimal? Fifth, decimal? P10, decimal? P25, decimal? Median, decimal? P75, decimal? P90,
        int? Offers, bool OffersAtLeast);
}
