using System.Globalization;

namespace Dashboard.Domain.Costs;

/// <summary>Money in sentences. The rules are those of every page: two decimals, four below a cent; a rate never without its unit.</summary>
public static class MoneyWords
{
    /// <summary><c>$812.47</c>, <c>$0.0041</c>, <c>−$1.20</c>.</summary>
    public static string Words(this Money amount)
    {
        var usd = Math.Abs(amount.Usd);
        var digits = usd is > 0m and < 0.01m ? "0.0000" : "#,##0.00";
        return (amount < Money.Zero ? "−$" : "$") + usd.ToString(digits, CultureInfo.InvariantCulture);
    }

    /// <summary><c>$0.412/h</c> below ten dollars, <c>$12.60/h</c> above.</summary>
    public static string Words(this HourlyRate rate) =>
        "$" + rate.Usd.ToString(Math.Abs(rate.Usd) < 10m ? "0.000" : "#,##0.00", CultureInfo.InvariantCulture) + "/h";
}
