using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>Charge rows in our words.</summary>
internal static partial class VastAiCharges
{
    /// <summary>A row has an item per kind; a row without items is one charge of unknown kind. Rows that are not about a machine are none.</summary>
    public static IEnumerable<ProviderCharge> Read(WireCharge row)
    {
        if (row.Source is null || Source().Match(row.Source) is not { Success: true } source)
        {
            yield break;
        }

        var contract = source.Groups[1].Value;
        var label = row.Metadata is { ValueKind: JsonValueKind.Object } && row.Metadata.TryGetProperty("label", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;
        foreach (var item in row.Items is { Count: > 0 } ? row.Items : [row])
        {
            // Amounts are what reconciliation trusts: one that cannot be read must not look like "not charged".
            if (item.Amount is not { } amount
                || (VastAiNumbers.Instant(item.Start) ?? VastAiNumbers.Instant(row.Start)) is not { } from
                || (VastAiNumbers.Instant(item.End) ?? VastAiNumbers.Instant(row.End)) is not { } to)
            {
                throw new ProviderUnavailableException($"A charge of machine {contract} came without amount or period.");
            }

            var kind = KindOf(item.Type);
            yield return new ProviderCharge(contract, label, kind, Money.FromUsd(amount), from, to, kind == ChargeKind.Gpu ? RateOf(item.Description) : null);
        }
    }

    /// <summary>Of a GPU charge alone: no other description has a form that is documented.</summary>
    private static HourlyRate? RateOf(string? description) =>
        description is not null && Rate().Match(description) is { Success: true } match && decimal.TryParse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var usd)
            ? HourlyRate.FromUsd(usd)
            : null;

    private static ChargeKind KindOf(string? type) => type switch
    {
        "gpu" => ChargeKind.Gpu,
        "disk" => ChargeKind.Disk,
        "bwd" => ChargeKind.Download,
        "bwu" => ChargeKind.Upload,
        _ => ChargeKind.Adjustment,
    };

    [GeneratedRegex("^instance-([0-9]+)$")]
    private static partial Regex Source();

    [GeneratedRegex(@"^[0-9.]+ hours at \$([0-9]{1,9}(?:\.[0-9]{1,9})?)/hour$")]
    private static partial Regex Rate();
}
