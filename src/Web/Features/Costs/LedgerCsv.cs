using System.Globalization;
using System.Text;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Auth;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>
/// The ledger as a file. Columns have the names of FinOps FOCUS where it knows the thing, and begin with <c>x_</c> where it
/// does not. Amounts are exact dollars with six decimals, times are UTC.
/// </summary>
public static class LedgerCsv
{
    private const string ContentType = "text/csv; charset=utf-8";

    private static readonly string[] Columns =
    [
        "x_EntryId", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeDescription", "BilledCost", "BillingCurrency", "ConsumedQuantity", "ConsumedUnit",
        "ProviderName", "ResourceId", "ResourceType", "x_RatePerHour", "x_JobNumber", "x_JobName", "x_Project", "x_Person", "x_Basis", "x_CorrectsEntryId", "x_PostedAt", "x_RunningTotal", "x_Simulated",
    ];

    /// <summary>For people, by their session. The zone says whose midnights the days are; without one, UTC.</summary>
    public static void MapLedgerDownload(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/t/{team}/costs/ledger.csv", async (string team, string? month, string? from, string? to, string? zone, HttpContext http, TeamAuthorization teams, LedgerQueries ledger) =>
        {
            if (await teams.ForAsync(http.User, team, http.RequestAborted) is not { } context)
            {
                return Results.NotFound();
            }

            if (!context.May(Permission.SeeMoney))
            {
                return Results.Forbid();
            }

            var period = CostPeriod.Read(month, from, to, ReaderZone.Named(zone));
            return period is null && (month ?? from ?? to) is not null
                ? Results.BadRequest("The period must be month=yyyy-MM, or from=yyyy-MM-dd with to=yyyy-MM-dd, and at most a year.")
                : File(context, period, ScopeOf(http), ledger, http.RequestAborted);
        }).RequireAuthorization().ExcludeFromDescription();

    /// <summary>What an address filters by; a part that is given twice counts once.</summary>
    internal static CostScope ScopeOf(HttpContext http) => CostScope.Read(name => http.Request.Query[name] is { Count: > 0 } values ? values[0] : null);

    internal static IResult File(TeamContext team, CostPeriod? period, CostScope scope, LedgerQueries ledger, CancellationToken ct) => Results.Stream(
        async body =>
        {
            await using var text = new StreamWriter(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
            await text.WriteLineAsync(string.Join(',', Columns).AsMemory(), ct);
            await foreach (var row in ledger.StreamAsync(team, period, scope, ct))
            {
                await text.WriteLineAsync(Line(row).AsMemory(), ct);
            }
        },
        ContentType,
        $"ledger-{team.Slug}-{(period is null ? "all" : period.IsMonth ? period.From.ToString("yyyy-MM", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{period.From:yyyy-MM-dd}-to-{period.To:yyyy-MM-dd}"))}.csv");

    internal static string Line(LedgerRow row) => string.Join(',',
        [
            row.Id.ToString(CultureInfo.InvariantCulture), Instant(row.PeriodStart), Instant(row.PeriodEnd), row.Kind == ChargeKind.Adjustment ? "Adjustment" : "Usage",
            Text(row.Reason ?? CostWords.Of(row.Kind)), row.Amount.ToString(), "USD",
            row.Kind == ChargeKind.Adjustment ? "" : row.Quantity.ToString("0.######", CultureInfo.InvariantCulture),
            row.Kind switch { ChargeKind.Gpu or ChargeKind.Disk => "Seconds", ChargeKind.Download or ChargeKind.Upload => "Bytes", ChargeKind.Adjustment => "" },
            Text(row.Market.Name), Text(row.ContractId ?? ""), Text(row.GpuName), row.Rate == HourlyRate.Zero ? "" : row.Rate.Usd.ToString("0.000000", CultureInfo.InvariantCulture),
            row.JobNumber.ToString(CultureInfo.InvariantCulture), Text(row.JobName), Text(row.Project), Text(row.Person), row.Estimated ? "Estimated" : "Metered",
            row.CorrectsId?.ToString(CultureInfo.InvariantCulture) ?? "", Instant(row.PostedAt), row.Running?.ToString() ?? "", row.Market.Simulated ? "true" : "false",
        ]);

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    // A spreadsheet runs what begins like a formula, and people name their jobs as they like.
    private static string Text(string text)
    {
        var safe = text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
