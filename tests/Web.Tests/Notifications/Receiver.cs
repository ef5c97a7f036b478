using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Dashboard.Web.Tests.Notifications;

/// <summary>A web hook on loopback: takes what is posted, and answers as told.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Receiver(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Body, IHeaderDictionary Headers)> Posts { get; } = new();

    public int Status { get; set; } = 200;

    public string Says { get; set; } = "ok";

    public string Address => _app.Urls.First() + "/hooks/x7Qq9sZ2vK4mP8aLr1Tb";

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        Posts.Enqueue((await reader.ReadToEndAsync(), new HeaderDictionary(http.Request.Headers.ToDictionary())));
        http.Response.StatusCode = Status;
        await http.Response.WriteAsync(Says);
    }
}
