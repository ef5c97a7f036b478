using System.Net;

namespace Dashboard.Sandbox.Http;

/// <summary>Refuses callers who come too often, in plain text and without saying when to come back, as the provider does.</summary>
internal sealed class LimitGate(Limits limits, Switches switches, RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var address = (context.Connection.RemoteIpAddress ?? IPAddress.None).ToString();
        var refusal = limits.Refusal(switches.Limits, context.Request.Method, context.Request.Path, Gate.KeyIn(context.Request), address);
        if (refusal is null)
        {
            await next(context);
            return;
        }

        await Reply.Plain(StatusCodes.Status429TooManyRequests, refusal).ExecuteAsync(context);
    }
}

/// <summary>Counts the offers that searches return; once the day's are spent there is nothing until midnight UTC.</summary>
internal sealed class RowQuota(Limits limits, Switches switches) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (switches.RowsADay is not { } rowsADay)
        {
            return await next(context);
        }

        var caller = Gate.KeyIn(context.HttpContext.Request) ?? (context.HttpContext.Connection.RemoteIpAddress ?? IPAddress.None).ToString();
        if (limits.RowsSpent(caller, rowsADay) is { } seconds)
        {
            return new Reply(StatusCodes.Status429TooManyRequests, new WireRow
            {
                ["error"] = "search_quota_exceeded",
                ["limit"] = rowsADay,
                ["remaining"] = 0,
                ["retry_after"] = (long)Math.Ceiling(seconds),
            });
        }

        var answer = await next(context);
        if (answer is Reply { Body: WireRow row } && row.GetValueOrDefault("offers") is System.Collections.ICollection offers)
        {
            limits.CountRows(caller, offers.Count);
        }

        return answer;
    }
}
