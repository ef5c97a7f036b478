using System.Globalization;
using System.Text;
using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
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
    private const int FlushAt = 64 * 1024;

    private static readonly string[] Columns =
    [
        "x_EntryId", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeDescription", "BilledCost", "BillingCurrency", "ConsumedQuantity", "ConsumedUnit",
        "ProviderName", "ResourceId", "ResourceType", "x_RatePerHour", "x_JobNumber", "x_JobName", "x_Project", "x_Person", "x_Basis", "x_CorrectsEntryId", "x_PostedAt", "x_RunningTotal", "x_Simulated",
        "BillingPeriodStart", "BillingPeriodEnd", "ChargeClass", "ChargeFrequency", "EffectiveCost", "ListUnitPrice", "PricingUnit", "ServiceCategory", "ServiceName", "SubAccountName", "Tags",
        "x_Attempt", "x_Status", "x_CorrectsKind", "x_CorrectsMonth",
    ];

    /// <summary>For people, by their session. The zone says whose midnights the days are; without one, UTC.</summary>
    public static void MapLedgerDownload(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapLedgerDownload("csv", File);
        endpoints.MapLedgerDownload("json", JsonFile);
    }

    private static void MapLedgerDownload(this IEndpointRouteBuilder endpoints, string form, Func<TeamContext, CostPeriod?, CostScope, LedgerQueries, CancellationToken, IResult> file) =>
        endpoints.MapGet($"/t/{{team}}/costs/ledger.{form}", async (string team, string? month, string? from, string? to, string? zone, HttpContext http, TeamAuthorization teams, LedgerQueries ledger) =>
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
                : file(context, period, ScopeOf(http), ledger, http.RequestAborted);
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
        FileName(team, period, "csv"));

    /// <summary>The same entries as an array of objects, with the columns as names. Amounts are numbers, exact.</summary>
    internal static IResult JsonFile(TeamContext team, CostPeriod? period, CostScope scope, LedgerQueries ledger, CancellationToken ct) => Results.Stream(
        async body =>
        {
            await using var json = new Utf8JsonWriter(body);
            json.WriteStartArray();
            await foreach (var row in ledger.StreamAsync(team, period, scope, ct))
            {
                Write(json, row);
                if (json.BytesPending > FlushAt)
                {
                    await json.FlushAsync(ct);
                }
            }

            json.WriteEndArray();
            await json.FlushAsync(ct);
        },
        "application/json",
        FileName(team, period, "json"));

    internal static void Write(Utf8JsonWriter json, LedgerRow row)
    {
        json.WriteStartObject();
        foreach (var (name, value) in Columns.Zip(Cells(row)))
        {
            json.WritePropertyName(name);
            switch (value)
            {
                case null: json.WriteNullValue(); break;
                case decimal number: json.WriteNumberValue(number); break;
                case long number: json.WriteNumberValue(number); break;
                case bool flag: json.WriteBooleanValue(flag); break;
                case IReadOnlyDictionary<string, bool> tags:
                    json.WriteStartObject();
                    foreach (var tag in tags.Keys)
                    {
                        json.WriteBoolean(tag, true);
                    }

                    json.WriteEndObject();
                    break;
                default: json.WriteStringValue(value as string ?? Instant((DateTimeOffset)value)); break;
            }
        }

        json.WriteEndObject();
    }

    private static string FileName(TeamContext team, CostPeriod? period, string form) =>
        $"ledger-{team.Slug}-{(period is null ? "all" : period.IsMonth ? period.From.ToString("yyyy-MM", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{period.From:yyyy-MM-dd}-to-{period.To:yyyy-MM-dd}"))}.{form}";

    internal static string Line(LedgerRow row) => string.Join(',', Cells(row).Select(cell => cell switch
    {
        null => "",
        string text => Text(text),
        long number => number.ToString(CultureInfo.InvariantCulture),
        decimal number => number.ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        DateTimeOffset at => Instant(at),
        IReadOnlyDictionary<string, bool> tags => Text(JsonSerializer.Serialize(tags)),
        _ => throw new InvalidOperationException($"A cell cannot be a {cell.GetType().Name}."),
    }));

    /// <summary>One value for each column: text, exact numbers, instants, tags; null is empty.</summary>
    private static object?[] Cells(LedgerRow row)
    {
        var month = BillMonth.Of(row.PeriodStart);
        var correction = row.Kind == ChargeKind.Adjustment;
        var what = row.CorrectsKind ?? row.Kind;
        return
        [
            row.Id, row.PeriodStart, row.PeriodEnd, correction ? "Adjustment" : "Usage", row.Reason ?? CostWords.Of(row.Kind), Six(row.Amount.Usd), "USD",
            correction ? null : decimal.Parse(row.Quantity.ToString("0.######", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            row.Kind switch { ChargeKind.Gpu or ChargeKind.Disk => "Seconds", ChargeKind.Download or ChargeKind.Upload => "Bytes", ChargeKind.Adjustment => null },
            row.Market.Name, row.ContractId, row.GpuName, row.Rate == HourlyRate.Zero ? null : Six(row.Rate.Usd), (long)row.JobNumber, row.JobName, row.Project, row.Person, row.Estimated ? "Estimated" : "Metered",
            row.CorrectsId, row.PostedAt, row.Running is { } running ? Six(running.Usd) : null, row.Market.Simulated,
            month.Start, month.End, correction ? "Correction" : null, "Usage-Based", Six(row.Amount.Usd), row.Rate == HourlyRate.Zero ? null : Six(row.Rate.Usd), row.Rate == HourlyRate.Zero ? null : "Hours",
            what switch { ChargeKind.Gpu => "Compute", ChargeKind.Disk => "Storage", ChargeKind.Download or ChargeKind.Upload => "Networking", ChargeKind.Adjustment => "Other" },
            what switch { ChargeKind.Gpu => "GPU rental", ChargeKind.Disk => "Instance disk", ChargeKind.Download or ChargeKind.Upload => "Data transfer", ChargeKind.Adjustment => "Other" },
            row.Project, row.Tags.Distinct().ToDictionary(tag => tag, _ => true), (long)row.Attempt, row.Confirmed ? "Confirmed" : "Estimated", row.CorrectsKind?.ToString(), row.CorrectsMonth,
        ];
    }

    // Six decimals always: micro-dollars.
    private static decimal Six(decimal usd) => decimal.Parse(usd.ToString("0.000000", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    // A spreadsheet runs what begins like a formula, and people name their jobs as they like.
    internal static string Text(string text)
    {
        var safe = text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
