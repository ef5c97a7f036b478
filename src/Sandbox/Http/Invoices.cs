using System.Globalization;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>Money that came in, in the provider's two shapes. What was used is in <see cref="Charges"/>; the old shape shows both.</summary>
internal static class Invoices
{
    private const int DefaultLimit = 60;
    private const int MostRows = 500;
    private const string Service = "transfer";
    private static readonly TimeSpan LegacyDefaultRange = TimeSpan.FromDays(1);

    /// <summary>One payment of an account. The opening balance has the number 0.</summary>
    private sealed record Payment(int Id, DateTimeOffset At, decimal Amount)
    {
        public string Description => Id == 0 ? "Opening credit" : "Credit transfer";
    }

    public static Reply Answer(LiveMarket live, int accountId, IQueryCollection query)
    {
        if (Body.ParseObject(query["select_filters"]) is not { } filters)
        {
            return Reply.InvalidBody();
        }

        var when = filters.Field("when");
        if (when?.Number("gte") is not { } from || when?.Number("lte") is not { } until)
        {
            return Reply.Ok(new WireRow
            {
                ["success"] = false,
                ["error"] = "Invalid date range",
                ["count"] = 0,
                ["total"] = 0,
                ["results"] = Array.Empty<object>(),
                ["next_token"] = null,
            });
        }

        if (!PageToken.TryRead(query["after_token"], out var after))
        {
            return PageToken.Invalid();
        }

        var wantsTransfers = filters.Field("service")?.Field("in") is not { ValueKind: System.Text.Json.JsonValueKind.Array } services
            || services.EnumerateArray().Any(service => service.ToString() == Service);
        var latestFirst = string.Equals(query["latest_first"], "true", StringComparison.OrdinalIgnoreCase);
        var limit = int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var wanted) && wanted > 0 ? Math.Min(wanted, MostRows) : DefaultLimit;
        return live.Read((market, _) =>
        {
            var (start, end) = (WireTime.FromUnix((double)from), WireTime.FromUnix((double)until));
            var rows = Payments(market, accountId).Where(payment => wantsTransfers && payment.At >= start && payment.At <= end).ToList();
            if (latestFirst)
            {
                rows.Reverse();
            }

            var skip = after is { } id ? rows.FindIndex(row => row.Id == id) + 1 : 0;
            var page = rows.Skip(skip).Take(limit).ToList();
            return Reply.Ok(new WireRow
            {
                ["success"] = true,
                ["count"] = page.Count,
                ["total"] = rows.Count,
                ["next_token"] = skip + page.Count < rows.Count ? PageToken.After(page[^1].Id) : null,
                ["results"] = page.Select(Row).ToArray(),
            });
        });
    }

    /// <summary>The shape of <c>vastai show invoices</c>: everything is text, charges and payments in one list.</summary>
    public static Reply Legacy(LiveMarket live, int accountId, IQueryCollection query) => live.Read((market, now) =>
    {
        var until = TimeIn(query["edate"]) ?? now;
        var from = TimeIn(query["sdate"]) ?? until - LegacyDefaultRange;
        var withCharges = !string.Equals(query["inc_charges"], "false", StringComparison.OrdinalIgnoreCase);
        var known = now - market.Settings.ChargesDelay;
        var charges = market.State.Contracts
            .Where(contract => withCharges && contract.AccountId == accountId && contract.CreatedAt < until && contract.CreatedAt < known)
            .Select(contract => Charge(market, contract, from, until < known ? until : known))
            .Where(charge => charge is not null)
            .ToList();
        var payments = Payments(market, accountId).Where(payment => payment.At >= from && payment.At <= until).Select(Old);
        var total = charges.Sum(charge => charge!.Value.Amount);
        return Reply.Ok(new WireRow
        {
            ["invoices"] = payments.Concat(charges.Select(charge => charge!.Value.Row)).ToArray(),
            ["current"] = new WireRow { ["charges"] = total, ["service_fee"] = 0, ["total"] = total, ["credit"] = Math.Round(market.Credit(now, accountId), 6) },
        });
    });

    private static IEnumerable<Payment> Payments(RentalMarket market, int accountId)
    {
        if (accountId == MarketState.FirstAccount && market.State.InitialCredit != 0)
        {
            yield return new Payment(0, market.State.OpenedAt, market.State.InitialCredit);
        }

        foreach (var topUp in market.State.TopUps.Where(topUp => topUp.AccountId == accountId && topUp.Amount != 0))
        {
            yield return new Payment(topUp.Id, topUp.At, topUp.Amount);
        }
    }

    // A transfer keeps its sign; a bought credit would be negative.
    private static WireRow Row(Payment payment) => new()
    {
        ["start"] = payment.At.ToUnix(),
        ["end"] = payment.At.ToUnix(),
        ["type"] = "transfer",
        ["source"] = Service,
        ["description"] = payment.Description,
        ["amount"] = payment.Amount,
        ["metadata"] = new WireRow { ["invoice_id"] = payment.Id, ["service"] = Service },
        ["items"] = Array.Empty<object>(),
    };

    private static WireRow Old(Payment payment) => new()
    {
        ["id"] = payment.Id,
        ["type"] = "payment",
        ["description"] = payment.Description,
        ["quantity"] = "1",
        ["rate"] = Text(payment.Amount),
        ["amount"] = Text(payment.Amount),
        ["timestamp"] = payment.At.ToUnix(),
        ["instance_id"] = null,
    };

    private static (decimal Amount, WireRow Row)? Charge(RentalMarket market, Contract contract, DateTimeOffset from, DateTimeOffset until)
    {
        var amount = Math.Round(Bill.Of(contract, from, until, market.Settings.BillingFactor).Total, 4, MidpointRounding.ToEven);
        if (amount == 0)
        {
            return null;
        }

        var end = contract.DestroyedAt is { } destroyed && destroyed < until ? destroyed : until;
        var hours = (decimal)(end - (contract.CreatedAt > from ? contract.CreatedAt : from)).TotalHours;
        return (amount, new WireRow
        {
            ["id"] = contract.Id,
            ["type"] = "charge",
            ["description"] = string.Create(CultureInfo.InvariantCulture, $"Instance {contract.Id} charges"),
            ["quantity"] = hours.ToString("0.000", CultureInfo.InvariantCulture),
            ["rate"] = hours > 0 ? Text(amount / hours) : "0.0000",
            ["amount"] = Text(amount),
            ["timestamp"] = end.ToUnix(),
            ["instance_id"] = contract.Id,
        });
    }

    private static string Text(decimal amount) => amount.ToString("0.0000", CultureInfo.InvariantCulture);

    private static DateTimeOffset? TimeIn(string? text) => double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && double.IsFinite(seconds) ? WireTime.FromUnix(seconds) : null;
}
