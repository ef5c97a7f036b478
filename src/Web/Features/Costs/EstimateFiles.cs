using System.Globalization;
using System.Text;
using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Teams;
using Dashboard.Web.Auth;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>Estimates against what was paid as a file: the jobs of the page's view, all of them. Amounts are exact dollars with six decimals, times are UTC, lengths whole seconds; what is not known is empty.</summary>
public static class EstimateFiles
{
    private static readonly string[] Columns =
    [
        "JobNumber", "JobName", "Project", "EndedAt", "Status", "Gpu", "GpuCount", "MachineId", "Market", "Simulated", "Attempts",
        "ExpectedCost", "LowCost", "HighCost", "PaidCost", "PaidToExpected", "WithinRange", "ExpectedSeconds", "ActualSeconds",
        .. Enum.GetValues<EstimatePart>().SelectMany(part => new[] { $"{part}ExpectedSeconds", $"{part}ActualSeconds" }),
    ];

    /// <summary>For people, by their session. The zone says whose midnights the days are; without one, UTC. Without a period: this month.</summary>
    public static void MapEstimateDownload(this IEndpointRouteBuilder endpoints)
    {
        endpoints.Map("csv", "text/csv; charset=utf-8", Csv);
        endpoints.Map("json", "application/json", Json);
    }

    private static void Map(this IEndpointRouteBuilder endpoints, string form, string type, Func<IReadOnlyList<EstimateRow>, string> text) =>
        endpoints.MapGet($"/t/{{team}}/costs/estimates.{form}", async (string team, string? month, string? from, string? to, string? zone, string? ended, HttpContext http, TeamAuthorization teams, EstimateQueries estimates, TimeProvider time) =>
        {
            if (await teams.ForAsync(http.User, team, http.RequestAborted) is not { } context)
            {
                return Results.NotFound();
            }

            if (!context.May(Permission.SeeMoney))
            {
                return Results.Forbid();
            }

            var reader = ReaderZone.Named(zone);
            if ((month ?? from ?? to) is not null && CostPeriod.Read(month, from, to, reader) is null)
            {
                return Results.BadRequest("The period must be month=yyyy-MM, or from=yyyy-MM-dd with to=yyyy-MM-dd, and at most a year.");
            }

            var period = CostPeriod.Read(month, from, to, reader) ?? CostPeriod.Month(reader.Day(time.GetUtcNow()), reader);
            var view = await estimates.ReadAsync(context, new EstimatesQuestion(period, LedgerCsv.ScopeOf(http), ended == "all"), http.RequestAborted);
            return Results.File(Encoding.UTF8.GetBytes(text(view.Rows)), type, $"estimates-{context.Slug}-{string.Create(CultureInfo.InvariantCulture, $"{period.From:yyyy-MM-dd}-to-{period.To:yyyy-MM-dd}")}.{form}");
        }).RequireAuthorization().ExcludeFromDescription();

    internal static string Csv(IReadOnlyList<EstimateRow> rows)
    {
        var text = new StringBuilder(string.Join(',', Columns)).Append("\r\n");
        foreach (var row in rows)
        {
            text.AppendJoin(',', Cells(row).Select(Cell)).Append("\r\n");
        }

        return text.ToString();
    }

    /// <summary>The same as an array of objects with the columns as names.</summary>
    internal static string Json(IReadOnlyList<EstimateRow> rows) => JsonSerializer.Serialize(rows.Select(row => Columns.Zip(Cells(row)).ToDictionary(cell => cell.First, cell => cell.Second)));

    private static object?[] Cells(EstimateRow row) =>
    [
        row.Number, row.Name, row.Project, row.EndedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), row.Status.ToString(), row.GpuName, row.GpuCount, row.MachineId, row.Market.Name, row.Market.Simulated, row.Attempts,
        Usd(row.Outcome.Estimate.Expected), Usd(row.Outcome.Estimate.Low), Usd(row.Outcome.Estimate.High), Usd(row.Outcome.Paid), row.Outcome.Ratio is { } ratio ? Math.Round(ratio, 4) : null, row.Outcome.Held,
        Seconds(row.Outcome.Estimate.Duration), Seconds(row.Took),
        .. Enum.GetValues<EstimatePart>().SelectMany(part => row.Parts.FirstOrDefault(p => p.Part == part) is { } times ? new object?[] { Seconds(times.Estimated), Seconds(times.Actual) } : [null, null]),
    ];

    private static string Cell(object? value) => value switch
    {
        null => "",
        string text => LedgerCsv.Text(text),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException($"A cell cannot be a {value.GetType().Name}."),
    };

    private static long? Seconds(TimeSpan? time) => time is { } length ? (long)Math.Round(length.TotalSeconds) : null;

    // Six decimals always: micro-dollars.
    private static decimal Usd(Money amount) => decimal.Parse(amount.Usd.ToString("0.000000", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
