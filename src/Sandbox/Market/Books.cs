namespace Dashboard.Sandbox.Market;

/// <summary>The account's money: what contracts cost, what crossed the wire, what is left.</summary>
internal sealed class Books(MarketSettings settings, MarketState state)
{
    private readonly Dictionary<int, decimal> _closedBills = [];

    public Bill BillOf(Contract contract, DateTimeOffset now) => Bill.Of(contract, DateTimeOffset.MinValue, now, settings.BillingFactor);

    /// <summary>USD an account has left to spend; falls by the second.</summary>
    public decimal Credit(DateTimeOffset now, int accountId) => Granted(accountId) - Spent(accountId, now);

    /// <summary>USD an account was ever given.</summary>
    public decimal Granted(int accountId) =>
        (accountId == MarketState.FirstAccount ? state.InitialCredit : 0) + state.TopUps.Where(topUp => topUp.AccountId == accountId).Sum(topUp => topUp.Amount);

    public void CountTraffic(Contract contract, long upBytes, long downBytes, DateTimeOffset now)
    {
        _closedBills.Remove(contract.Id);
        var hour = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        var last = contract.Traffic.Count - 1;
        if (last >= 0 && contract.Traffic[last].Hour == hour)
        {
            contract.Traffic[last] = new TrafficHour(hour, contract.Traffic[last].UpBytes + upBytes, contract.Traffic[last].DownBytes + downBytes);
        }
        else
        {
            contract.Traffic.Add(new TrafficHour(hour, upBytes, downBytes));
        }
    }

    private decimal Spent(int accountId, DateTimeOffset now)
    {
        var spent = 0m;
        foreach (var contract in state.Contracts.Where(contract => contract.AccountId == accountId))
        {
            if (!_closedBills.TryGetValue(contract.Id, out var total))
            {
                total = BillOf(contract, now).Total;
                if (!contract.IsLiving)
                {
                    _closedBills[contract.Id] = total; // the books of years must not be added up ten times a second
                }
            }

            spent += total;
        }

        return spent;
    }
}
